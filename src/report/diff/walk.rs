//! Lists where two forms differ.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::node::{Form, Node};
use super::rules;
use super::{Change, Kind, show};

/// Every difference between two reports' forms, in no order that matters.
pub(super) fn changes(before: &Node, after: &Node) -> Vec<Change> {
    let mut walk = Walk {
        path: Vec::new(),
        changes: Vec::new(),
    };
    walk.pair(before, after);
    walk.changes
}

struct Walk {
    path: Vec<String>,
    changes: Vec<Change>,
}

impl Walk {
    fn pair(&mut self, before: &Node, after: &Node) {
        match (&before.form, &after.form) {
            (old, new) if old == new => {}
            (Form::Object(old), Form::Object(new)) => {
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
            (Form::Keyed(old), Form::Keyed(new)) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    let of = |groups| items_of(groups, name);
                    self.at(name, |walk| walk.namesakes(of(old), of(new)));
                }
            }
            (Form::Set(old), Form::Set(new)) => {
                let (gone, come) = apart(old.iter().collect(), new.iter().collect());
                gone.into_iter()
                    .for_each(|item| self.either(Some(item), None));
                come.into_iter()
                    .for_each(|item| self.either(None, Some(item)));
            }
            (Form::List(old), Form::List(new)) => self.lists(before, after, old, new),
            _ => self.push(Kind::Changed, Some(before), Some(after)),
        }
    }

    /// Items under one name: what both have is no change, the rest is paired
    /// in sorted order.
    fn namesakes(&mut self, old: &[Node], new: &[Node]) {
        let (gone, come) = apart(old.iter().collect(), new.iter().collect());
        for at in 0..gone.len().max(come.len()) {
            self.either(gone.get(at).copied(), come.get(at).copied());
        }
    }

    /// Lists with order: what stands alike at the front and the back is no
    /// change, what lies between is paired by place.
    fn lists(&mut self, before: &Node, after: &Node, old: &[Node], new: &[Node]) {
        if is_permutation(old, new) {
            return self.push(Kind::Reordered, Some(before), Some(after));
        }
        let front = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (
            old.get(front..).unwrap_or_default(),
            new.get(front..).unwrap_or_default(),
        );
        let back = old
            .iter()
            .rev()
            .zip(new.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let (old, new) = (&old[..old.len() - back], &new[..new.len() - back]);
        for at in 0..old.len().max(new.len()) {
            self.at(&(front + at).to_string(), |walk| {
                walk.either(old.get(at), new.get(at))
            });
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
        let shown = |node: Option<&Node>| match node {
            None => Value::Null,
            Some(Node {
                value,
                shown: Some(names),
                ..
            }) => show::members(value, names),
            Some(node) => show::value(node.value),
        };
        self.changes.push(Change {
            path: show::pointer(&self.path),
            kind,
            before: shown(before),
            after: shown(after),
            weight: rules::weigh(
                &self.path,
                before.map(|node| node.value),
                after.map(|node| node.value),
            ),
            findings: Vec::new(),
        });
    }
}

fn items_of<'n, 'a>(groups: &'n BTreeMap<String, Vec<Node<'a>>>, name: &str) -> &'n [Node<'a>] {
    groups.get(name).map(Vec::as_slice).unwrap_or_default()
}

fn is_permutation(old: &[Node], new: &[Node]) -> bool {
    old.len() == new.len() && {
        let (gone, come) = apart(sorted(old), sorted(new));
        gone.is_empty() && come.is_empty()
    }
}

fn sorted<'n, 'a>(list: &'n [Node<'a>]) -> Vec<&'n Node<'a>> {
    let mut list: Vec<&Node> = list.iter().collect();
    list.sort();
    list
}

/// What only one of two sorted lists has.
fn apart<'n, 'a>(
    old: Vec<&'n Node<'a>>,
    new: Vec<&'n Node<'a>>,
) -> (Vec<&'n Node<'a>>, Vec<&'n Node<'a>>) {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        match (old.peek(), new.peek()) {
            (Some(a), Some(b)) if a == b => {
                old.next();
                new.next();
            }
            (Some(a), Some(b)) if a < b => gone.extend(old.next()),
            (Some(_), None) => gone.extend(old.next()),
            (_, Some(_)) => come.extend(new.next()),
            (None, None) => return (gone, come),
        }
    }
}
