//! (being built)
use super::{Incoming, Reply, Site, router::not_found};
pub(super) async fn answer(_: &Site<'_>, _: &dyn Incoming) -> Reply {
    not_found()
}
