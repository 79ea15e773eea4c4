//! Inventories of epochs, and what a proof over one is verified with. Nothing given here is verified yet.

use bailiwick_protocol::codec::Canonical;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::inventory::{Openings, OwnerRange, SignedInventory};

use crate::client::Client;
use crate::error::ClientError;
use crate::proofs::JobId;
use crate::transport::Request;

impl Client {
    /// Has the node make its inventory of `epoch` (from 1), or give the one it made: always the same bytes. For auditors.
    ///
    /// # Errors
    /// Transport errors; refusals (409 for an epoch before one already made, or when nothing is held); `Message`.
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
    /// auditors and readers.
    ///
    /// # Errors
    /// Transport errors, refusals (410 when it is not live any more), `Message`.
    pub fn owner_range(&self, epoch: u64, owner: &OwnerKey) -> Result<OwnerRange, ClientError> {
        self.message(&Request::get(format!("/v1/inventories/{epoch}/owner/{owner}")))
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
