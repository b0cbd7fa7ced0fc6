//! The form of a chain as presented (RFC 8446 section 4.4.2): which
//! certificate was issued by which, and what has no place in it. By names and
//! key identifiers; signatures are [`super::trust`]'s.

use serde::Serialize;

use crate::codec::certificate::Certificate;

/// Where a certificate stands in the presented list, leaf 0.
pub type Place = usize;

/// The list, put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// From the leaf upwards, each issued by the next.
    pub path: Vec<Place>,
    /// Whether the list is the path, and nothing else before its end.
    pub in_order: bool,
    /// Sent before in the same list.
    pub duplicates: Vec<Place>,
    /// Neither on the path nor a duplicate.
    pub unrelated: Vec<Place>,
    /// A root on the path, which every client has already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Place>,
    /// Who issued the last certificate of the path, where that is not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<End>,
}

/// The issuer that a chain stops short of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct End {
    /// The last certificate of the path.
    pub place: Place,
    /// Its issuer: a root that clients have, or a certificate left out.
    pub issuer: String,
    /// Where the issuer's certificate can be fetched, by the last
    /// certificate's own word. Nothing was fetched.
    pub ca_issuers: Vec<String>,
}

impl Shape {
    /// Of a presented list; `None` when there is nothing to put in order.
    pub fn of(list: &[Certificate]) -> Option<Shape> {
        list.first()?;
        let mut path = vec![0];
        while let Some(next) = issuer(list, &path) {
            path.push(next);
        }
        let last = path.last().copied().unwrap_or_default();
        let duplicates: Vec<Place> = (1..list.len())
            .filter(|place| !path.contains(place) && is_duplicate(list, *place))
            .collect();
        let unrelated = (1..list.len())
            .filter(|place| !path.contains(place) && !duplicates.contains(place))
            .collect();
        let end = list.get(last)?;
        Some(Shape {
            in_order: path.iter().enumerate().all(|(nth, place)| nth == *place),
            root: (last > 0 && end.self_issued && end.is_ca).then_some(last),
            ends_at: (!end.self_issued).then(|| End {
                place: last,
                issuer: end.issuer.clone(),
                ca_issuers: end.ca_issuers.clone(),
            }),
            path,
            duplicates,
            unrelated,
        })
    }
}

/// The place of who issued the last certificate of the path so far.
fn issuer(list: &[Certificate], path: &[Place]) -> Option<Place> {
    let below = list.get(*path.last()?)?;
    let fits = |place: &Place| {
        list.get(*place)
            .is_some_and(|above| below.names_as_issuer(above) && above.sha256 != below.sha256)
    };
    // A root names itself, and ends the path.
    if below.self_issued {
        return None;
    }
    (1..list.len()).find(|place| !path.contains(place) && fits(place))
}

fn is_duplicate(list: &[Certificate], place: Place) -> bool {
    let Some(this) = list.get(place) else {
        return false;
    };
    let same = |(other, that): (Place, &Certificate)| other != place && that.sha256 == this.sha256;
    list.iter().enumerate().any(same)
}
