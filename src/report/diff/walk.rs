//! Lists where two forms differ.
//!
//! The order of the walk is the same whichever report comes first, so that a
//! list cut at a number of changes is cut at the same ones.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::node::{Form, Node};
use super::{Change, Counts, Kind, MAX_CHANGES, Weight, rules, show};

/// The differences of two reports.
#[derive(Default)]
pub(super) struct Walk {
    path: Vec<String>,
    /// The first changes for better or for worse.
    pub directed: Vec<Change>,
    /// The first of the others.
    pub churn: Vec<Change>,
    /// All of them.
    pub counts: Counts,
}

impl Walk {
    /// Adds the differences of what stands at `/name` in both reports.
    pub fn compare(&mut self, name: &str, before: &Node, after: &Node) {
        self.at(name, |walk| walk.pair(before, after));
    }

    /// The same where one of them may lack it.
    pub fn compare_if_there(&mut self, name: &str, before: Option<&Node>, after: Option<&Node>) {
        self.at(name, |walk| walk.either(before, after));
    }

    fn pair(&mut self, before: &Node, after: &Node) {
        match (&before.form, &after.form) {
            (old, new) if old == new => {}
            (Form::Object(old), Form::Object(new)) => self.objects(old, new),
            (Form::Keyed(old), Form::Keyed(new)) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    self.at(name, |walk| walk.namesakes(old.get(name), new.get(name)));
                }
            }
            (Form::Set(old), Form::Set(new)) => {
                for (gone, come) in apart(old, new) {
                    self.either(gone, come);
                }
            }
            (Form::List(old), Form::List(new)) => self.lists((before, old), (after, new)),
            _ => self.push(Kind::Changed, Some(before), Some(after)),
        }
    }

    fn objects(&mut self, old: &BTreeMap<&str, Node>, new: &BTreeMap<&str, Node>) {
        let failures = (old.get(rules::UNMEASURED), new.get(rules::UNMEASURED));
        if let (Some(_), None) | (None, Some(_)) = failures {
            return self.at(rules::UNMEASURED, |walk| {
                walk.either(failures.0, failures.1)
            });
        }
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            self.at(name, |walk| walk.either(old.get(name), new.get(name)));
        }
    }

    /// Items under one name: what both have is no change, the rest is paired
    /// in sorted order.
    fn namesakes(&mut self, old: Option<&Vec<Node>>, new: Option<&Vec<Node>>) {
        let rest = apart(
            old.map(Vec::as_slice).unwrap_or_default(),
            new.map(Vec::as_slice).unwrap_or_default(),
        );
        let gone: Vec<&Node> = rest.iter().filter_map(|(gone, _)| *gone).collect();
        let come: Vec<&Node> = rest.iter().filter_map(|(_, come)| *come).collect();
        for at in 0..gone.len().max(come.len()) {
            self.either(gone.get(at).copied(), come.get(at).copied());
        }
    }

    /// Lists with order: what stands alike at the front and the back is no
    /// change, what lies between is paired by place.
    fn lists(&mut self, (before, old): (&Node, &[Node]), (after, new): (&Node, &[Node])) {
        if is_permutation(old, new) {
            return self.push(Kind::Reordered, Some(before), Some(after));
        }
        let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (&old[front..], &new[front..]);
        let back = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
        for at in 0..old.len().max(new.len()) {
            let place = (front + at).to_string();
            self.at(&place, |walk| walk.either(old.get(at), new.get(at)));
        }
    }

    fn either(&mut self, before: Option<&Node>, after: Option<&Node>) {
        match (before, after) {
            (Some(before), Some(after)) => self.pair(before, after),
            (Some(before), None) => self.push(Kind::Removed, Some(before), None),
            (None, Some(after)) => self.push(Kind::Added, None, Some(after)),
            (None, None) => {}
        }
    }

    fn at(&mut self, name: &str, inside: impl FnOnce(&mut Walk)) {
        self.path.push(name.to_owned());
        inside(self);
        self.path.pop();
    }

    fn push(&mut self, kind: Kind, before: Option<&Node>, after: Option<&Node>) {
        let weight = rules::weigh(&self.path, before.map(|b| b.value), after.map(|a| a.value));
        let list = match weight {
            Weight::Churn => {
                self.counts.churn += 1;
                &mut self.churn
            }
            Weight::Regress => {
                self.counts.regress += 1;
                &mut self.directed
            }
            Weight::Improve => {
                self.counts.improve += 1;
                &mut self.directed
            }
        };
        if list.len() == MAX_CHANGES {
            return;
        }
        list.push(Change {
            path: show::pointer(&self.path),
            kind,
            before: show::node(before),
            after: show::node(after),
            weight,
            findings: Vec::new(),
        });
    }
}

fn is_permutation(old: &[Node], new: &[Node]) -> bool {
    if old.len() != new.len() || mix(old) != mix(new) {
        return false;
    }
    sorted_items(old) == sorted_items(new)
}

fn sorted_items<'n, 'a>(list: &'n [Node<'a>]) -> Vec<&'n Node<'a>> {
    let mut items: Vec<&Node> = list.iter().collect();
    items.sort();
    items
}

/// The same for the same items in any order; for others hardly ever.
fn mix(list: &[Node]) -> u64 {
    let hash = |node: &Node| {
        let mut hasher = DefaultHasher::new();
        node.hash(&mut hasher);
        hasher.finish()
    };
    list.iter().map(hash).fold(0, u64::wrapping_add)
}

/// What only one of two sorted lists has, in sorted order.
fn apart<'n, 'a>(
    old: &'n [Node<'a>],
    new: &'n [Node<'a>],
) -> Vec<(Option<&'n Node<'a>>, Option<&'n Node<'a>>)> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut apart = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return apart,
        };
        match order {
            Ordering::Less => apart.push((old.next(), None)),
            Ordering::Greater => apart.push((None, new.next())),
            Ordering::Equal => {
                old.next();
                new.next();
            }
        }
    }
}
