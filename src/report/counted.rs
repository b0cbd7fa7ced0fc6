//! How many, in words that agree.

use std::fmt::Display;

/// `1 thing`, `2 things`.
pub fn counted<N: Display + PartialEq + From<u8>>(n: N, one: &str, many: &str) -> String {
    let words = if n == N::from(1) { one } else { many };
    format!("{n} {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_as_one_and_all_else_as_many() {
        assert_eq!(
            counted(1_usize, "mail server", "mail servers"),
            "1 mail server"
        );
        assert_eq!(counted(0_i64, "day", "days"), "0 days");
        assert_eq!(counted(3_u16, "day", "days"), "3 days");
    }
}
