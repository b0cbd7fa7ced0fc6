//! How surprising a share is, beside what came before: Fisher's exact test.
//!
//! When both shares come from one probability, then of all marked calls the
//! number that falls into the recent window follows the hypergeometric
//! distribution, whatever that probability is. So the chance of a false alarm
//! is at most the level asked for with two calls as with two million, and
//! nothing has to be known or assumed about the probability.

/// The chance that of the recent `of` calls at least `hits` are marked, given
/// that of `before_of` earlier ones `before` were and nothing has changed.
/// 1 where there is nothing to compare or no rise.
pub fn at_least(hits: u64, of: u64, before: u64, before_of: u64) -> f64 {
    let marked = hits + before;
    let total = of + before_of;
    if of == 0 || before_of == 0 || real(hits) * real(total) <= real(of) * real(marked) {
        return 1.0;
    }
    let ln_first =
        ln_choose(marked, hits) + ln_choose(total - marked, of - hits) - ln_choose(total, of);
    let mut term = ln_first.exp();
    let mut sum = term;
    // Beyond the mean each term is smaller than the one before.
    for x in hits..of.min(marked) {
        let unmarked_left = real(total - marked) - real(of) + real(x) + 1.0;
        term *= real(marked - x) * real(of - x) / (real(x + 1) * unmarked_left);
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
    }
    sum.min(1.0)
}

/// The chance of at most `hits`, likewise.
pub fn at_most(hits: u64, of: u64, before: u64, before_of: u64) -> f64 {
    at_least(of - hits, of, before_of - before, before_of)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Stirling's series, exact sums where that is too coarse.
fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(|k| real(k).ln()).sum();
    }
    let x = real(n);
    let tail = 1.0 / (12.0 * x) - 1.0 / (360.0 * x * x * x);
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + tail
}

/// Exact below 2^53, and nobody has more calls in three days.
fn real(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(is: f64, should: f64) {
        assert!((is - should).abs() <= should * 1e-6, "{is}, not {should}");
    }

    #[test]
    fn it_is_fishers_test() {
        // The lady tasting tea: all four right is 1 in 70, three or more 17 in 70.
        near(at_least(4, 4, 0, 4), 1.0 / 70.0);
        near(at_least(3, 4, 1, 4), 17.0 / 70.0);
        near(at_most(0, 4, 4, 4), 1.0 / 70.0);
    }

    #[test]
    fn it_agrees_with_counting_every_case() {
        for (hits, of, before, before_of) in [(5, 9, 3, 20), (2, 3, 1, 30), (7, 30, 2, 25)] {
            let (marked, total) = (hits + before, of + before_of);
            let choose = |n: u64, k: u64| -> f64 {
                (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
            };
            let counted: f64 = (hits..=of.min(marked))
                .map(|x| choose(marked, x) * choose(total - marked, of - x) / choose(total, of))
                .sum();
            near(at_least(hits, of, before, before_of), counted);
        }
    }

    #[test]
    fn nothing_to_compare_and_no_rise_surprise_nobody() {
        assert_eq!(at_least(0, 0, 5, 10), 1.0);
        assert_eq!(at_least(5, 5, 0, 0), 1.0);
        assert_eq!(at_least(1, 10, 10, 100), 1.0);
    }

    #[test]
    fn a_day_of_a_hundred_thousand_calls_a_second_is_no_trouble() {
        let (of, before_of) = (720_000_000, 25_000_000_000);
        let p = at_least(of / 100, of, before_of / 100, before_of);
        assert_eq!(p, 1.0);
        assert!(at_least(of / 99, of, before_of / 100, before_of) < 1e-12);
    }
}
