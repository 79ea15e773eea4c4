//! Inventories of epochs, and what a proof over one is verified with. Nothing given here is verified yet.

use bailiwick_possession::inventory::join_ranges;
use bailiwick_protocol::api::OWNER_RANGE_PAGE_MAX;
use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::inventory::{Openings, OwnerRange, SignedInventory};

use crate::client::Client;
use crate::error::ClientError;
use crate::proofs::JobId;
use crate::transport::Request;

/// Leaves of one owner that [`Client::owner_range`] puts together, at most.
pub const OWNER_LEAVES_MAX: usize = 4_000_000;

impl Client {
    /// Has the node make its inventory of `epoch` (from 1), or give the one it made: always the same bytes. For auditors.
    ///
    /// # Errors
    /// Transport errors; refusals (409 for an epoch whose time is not now, or when nothing is held); `Message`.
    pub fn make_inventory(&self, epoch: u64) -> Result<SignedInventory, ClientError> {
        // A POST of nothing, and of known length: without one it would be sent as chunks.
        let open = || Ok(Box::new(std::io::empty()) as Box<dyn std::io::Read>);
        let mut request = Request::new("POST", format!("/v1/inventories/{epoch}"));
        request.body = Some((&open, 0));
        self.message(&request)
    }

    /// The inventory the node made of `epoch`. For auditors.
    ///
    /// # Errors
    /// Transport errors, refusals (404 when it made none), `Message`.
    pub fn inventory(&self, epoch: u64) -> Result<SignedInventory, ClientError> {
        self.message(&Request::get(format!("/v1/inventories/{epoch}")))
    }

    /// All that the inventory of `epoch` lists of `owner`, for `bailiwick_possession::inventory::check_owner_range`. For that owner,
    /// auditors and readers. Asked for page by page and put together.
    ///
    /// # Errors
    /// Transport errors, refusals (410 when it is not live any more), `Message`; `Protocol` when pages do not fit together or there
    /// are more than [`OWNER_LEAVES_MAX`].
    pub fn owner_range(&self, epoch: u64, owner: &OwnerKey) -> Result<OwnerRange, ClientError> {
        self.owner_range_by(epoch, owner, OWNER_RANGE_PAGE_MAX)
    }

    /// The same in pages of `limit` leaves, 1 to [`OWNER_RANGE_PAGE_MAX`].
    ///
    /// # Errors
    /// As for [`Client::owner_range`].
    pub fn owner_range_by(
        &self,
        epoch: u64,
        owner: &OwnerKey,
        limit: u64,
    ) -> Result<OwnerRange, ClientError> {
        let mut all = self.owner_page(epoch, owner, 0, limit)?;
        let leaves = all.inventory.verify(self.host.as_bytes())?.leaves;
        loop {
            let end = all.first.saturating_add(all.leaves.len() as u64);
            // The neighbour after the owner's leaves, or the end of the inventory.
            if end >= leaves || all.leaves.last().is_none_or(|l| l.name.owner > *owner) {
                return Ok(all);
            }
            if all.leaves.len() > OWNER_LEAVES_MAX {
                return Err(ClientError::Protocol("more leaves of one owner than fit in memory"));
            }
            let page = self.owner_page(epoch, owner, end, limit)?;
            if page.leaves.is_empty() {
                return Err(ClientError::Protocol("an empty page of an owner's leaves"));
            }
            all = join_ranges(all, page, leaves)
                .map_err(|_| ClientError::Protocol("pages of an owner's leaves do not fit together"))?;
        }
    }

    /// One page of it, not verified: at most `limit` leaves, at place `from` of the inventory and after.
    ///
    /// # Errors
    /// Transport errors, refusals (400 when there are no more), `Message`.
    pub fn owner_page(
        &self,
        epoch: u64,
        owner: &OwnerKey,
        from: u64,
        limit: u64,
    ) -> Result<OwnerRange, ClientError> {
        let mut request = Request::get(format!("/v1/inventories/{epoch}/owner/{owner}"));
        request.query = Some(format!("from={from}&limit={limit}"));
        self.message(&request)
    }

    /// The leaves that a challenge over an inventory samples, with their envelopes, once the challenge was handed over.
    ///
    /// # Errors
    /// Transport errors, refusals (404 for another kind of job), `Message`.
    pub fn openings(&self, id: &JobId) -> Result<Openings, ClientError> {
        self.message(&Request::get(format!("/v1/jobs/{id}/openings")))
    }

    fn message<T: Canonical>(&self, request: &Request<'_>) -> Result<T, ClientError> {
        let bytes = self.call(request)?.bytes(T::BYTES_MAX as u64)?;
        Ok(T::from_bytes(&bytes)?)
    }
}
