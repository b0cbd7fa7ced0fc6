//! A report in the form in which it is compared.
//!
//! Building a [`Node`] applies [`rules`]: noise is left out, lists without
//! order are sorted or taken apart by name, text is masked. Two nodes are
//! equal when they say the same; each keeps the value it was made from, to be
//! shown.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value};

use super::mask::{self, Hosts};
use super::rules::{self, Rule, Treat};
use super::show;

/// A value, and what of it counts.
pub(super) struct Node<'a> {
    /// As it stands in the report.
    pub value: &'a Value,
    /// What counts.
    pub form: Form<'a>,
    /// The members by which it is shown, where not all are.
    pub shown: Option<&'static [&'static str]>,
}

/// What counts of a value. The derived order is the order in which sets are
/// sorted; it has no meaning beyond that.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form<'a> {
    Null,
    Bool(bool),
    Number(String),
    Text(Cow<'a, str>),
    /// Compared as one: any difference inside is one change.
    Whole(BTreeMap<&'a str, Node<'a>>),
    Object(BTreeMap<&'a str, Node<'a>>),
    List(Vec<Node<'a>>),
    /// Sorted.
    Set(Vec<Node<'a>>),
    /// By name; items that share a name are sorted.
    Keyed(BTreeMap<String, Vec<Node<'a>>>),
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

impl Eq for Node<'_> {}

impl Hash for Node<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.form.hash(state);
    }
}

impl PartialOrd for Node<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.form.cmp(&other.form)
    }
}

impl<'a> Node<'a> {
    /// The form of the value that stands at `/name` in a report.
    pub fn of(name: &str, value: &'a Value, hosts: &Hosts) -> Node<'a> {
        let mut builder = Builder {
            path: vec![name.to_owned()],
            hosts,
        };
        let treat = rules::treat(&builder.path);
        builder.node(value, treat)
    }
}

struct Builder<'m> {
    /// As [`rules::rule`] takes it: an item's name or `-` for its place.
    path: Vec<String>,
    hosts: &'m Hosts,
}

impl Builder<'_> {
    fn node<'a>(&mut self, value: &'a Value, treat: Option<Treat>) -> Node<'a> {
        let plain = |form| Node {
            value,
            form,
            shown: None,
        };
        match value {
            Value::Null => plain(Form::Null),
            Value::Bool(flag) => plain(Form::Bool(*flag)),
            Value::Number(number) => plain(Form::Number(number.to_string())),
            Value::String(text) => plain(Form::Text(self.text(text, treat))),
            Value::Object(members) => self.object(value, members, treat),
            Value::Array(items) => match (treat, items.as_slice()) {
                (Some(Treat::Values), [_]) => {
                    // The item in place of the list.
                    self.items(items).pop().unwrap_or(plain(Form::Null))
                }
                (Some(Treat::Values | Treat::Set), _) => {
                    let mut items = self.items(items);
                    items.sort();
                    plain(Form::Set(items))
                }
                (Some(Treat::Keyed(names)), _) => plain(Form::Keyed(self.keyed(items, names))),
                _ => plain(Form::List(self.items(items))),
            },
        }
    }

    fn text<'a>(&self, text: &'a str, treat: Option<Treat>) -> Cow<'a, str> {
        self.hosts.apply(match treat {
            Some(Treat::Masked(masked)) => mask::apply(masked, text),
            _ => Cow::Borrowed(text),
        })
    }

    fn object<'a>(
        &mut self,
        value: &'a Value,
        members: &'a Map<String, Value>,
        treat: Option<Treat>,
    ) -> Node<'a> {
        let mut nodes = self.members(members);
        match treat {
            // Without any of the members that count it is something else.
            Some(Treat::Whole { compared, shown })
                if nodes.keys().any(|name| compared.contains(name)) =>
            {
                nodes.retain(|name, _| compared.contains(name));
                Node {
                    value,
                    form: Form::Whole(nodes),
                    shown: Some(shown),
                }
            }
            _ => Node {
                value,
                form: Form::Object(nodes),
                shown: None,
            },
        }
    }

    fn members<'a>(&mut self, members: &'a Map<String, Value>) -> BTreeMap<&'a str, Node<'a>> {
        let mut nodes = BTreeMap::new();
        // Null says the same as nothing.
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            self.path.push(name.clone());
            let treat = match rules::rule(&self.path) {
                Some(Rule::Noise) => None,
                Some(Rule::Treat(treat)) => Some(Some(treat)),
                None => Some(None),
            };
            if let Some(treat) = treat {
                nodes.insert(name.as_str(), self.node(value, treat));
            }
            self.path.pop();
        }
        nodes
    }

    fn items<'a>(&mut self, items: &'a [Value]) -> Vec<Node<'a>> {
        self.path.push(String::from("-"));
        // Every item stands at the same place.
        let treat = rules::treat(&self.path);
        let nodes = items.iter().map(|item| self.node(item, treat)).collect();
        self.path.pop();
        nodes
    }

    fn keyed<'a>(&mut self, items: &'a [Value], names: &[&str]) -> BTreeMap<String, Vec<Node<'a>>> {
        let mut groups: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for item in items {
            self.path.push(key(item, names, self.hosts));
            let treat = rules::treat(&self.path);
            let node = self.node(item, treat);
            groups
                .entry(self.path.pop().unwrap_or_default())
                .or_default()
                .push(node);
        }
        groups.values_mut().for_each(|group| group.sort());
        groups
    }
}

/// The name of an item among its like: the members `names`, or `-` when it
/// has none of them.
pub(super) fn key(item: &Value, names: &[&str], hosts: &Hosts) -> String {
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| match item.get(*name)? {
            Value::String(text) => Some(show::segment(&hosts.apply(text.into()))),
            other @ (Value::Number(_) | Value::Bool(_)) => Some(other.to_string()),
            _ => None,
        })
        .collect();
    match parts.is_empty() {
        true => String::from("-"),
        false => parts.join(" "),
    }
}
