//! (being built)
use super::{Incoming, Reply, Site, router::not_found};
use crate::tool::Registry;
pub(crate) struct Catalog;
impl Catalog {
    pub(crate) fn new(_: &Registry) -> Catalog {
        Catalog
    }
}
pub(super) async fn answer(_: &Site<'_>, _: &dyn Incoming) -> Reply {
    not_found()
}
