//! Orders for vendors.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::posts::{self, PostedPage};
use crate::{
    domain::{ClientId, Cursor, EntryId, FeedId, Role, User, VendorId},
    error::{Error, Result},
    ports::FeedStore,
};

const EVENT: &str = "new-order";

/// Orders.
pub struct Orders {
    /// Where they are kept.
    pub feeds: Arc<dyn FeedStore>,
}

impl Orders {
    /// Stores an order, an object with `vendorId`, and delivers it to the vendor's streams and
    /// sockets; its id.
    pub async fn post(&self, order: Map<String, Value>, key: Option<ClientId>) -> Result<EntryId> {
        let vendor = posts::id_in(&order, "vendorId", VendorId::new)?;
        let feed = FeedId::Vendor(vendor);
        posts::post(&*self.feeds, feed, EVENT.into(), &order.into(), key).await
    }

    /// Stores an order for this vendor. Fails with `invalid_payload` when the order names another.
    pub async fn post_for(
        &self,
        vendor: VendorId,
        mut order: Map<String, Value>,
        key: Option<ClientId>,
    ) -> Result<EntryId> {
        if order.contains_key("vendorId")
            && posts::id_in(&order, "vendorId", VendorId::new)? != vendor
        {
            return Err(Error::invalid_payload("vendorId is not the path's"));
        }
        let given = order.entry("vendorId");
        given.or_insert_with(|| vendor.as_str().into());
        self.post(order, key).await
    }

    /// A page of a vendor's orders.
    pub async fn page(&self, vendor: &VendorId, from: Cursor, limit: usize) -> Result<PostedPage> {
        posts::page(&*self.feeds, &FeedId::Vendor(vendor.clone()), from, limit).await
    }

    /// Fails with `forbidden` unless this user is that vendor.
    pub fn check_is_vendor(user: &User, vendor: &VendorId) -> Result<()> {
        if user.has(Role::Vendor) && user.id.as_str() == vendor.as_str() {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }
}
