//! What a value is bound to.

use bailiwick_protocol::ids::OwnerKey;

use super::{CONTEXT_PART_BYTES_MAX, CompactError};

/// Where a value belongs. Parts are compared byte for byte: write addresses in lower case, chains as CAIP-2 does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    chain: String,
    contract: String,
    function: String,
    record: String,
}

impl Context {
    /// Chain id (`eip155:1`, `fabric:mychannel`, `fisco:group0`), contract (address or chaincode name) and function, 1 to 255 bytes each.
    ///
    /// # Errors
    /// `Context` for a part that is empty or too long.
    pub fn new(chain: &str, contract: &str, function: &str) -> Result<Self, CompactError> {
        for (part, text) in [("chain id", chain), ("contract", contract), ("function", function)] {
            check(part, text)?;
            if text.is_empty() {
                return Err(CompactError::Context { part, found: 0 });
            }
        }
        Ok(Self {
            chain: chain.to_owned(),
            contract: contract.to_owned(),
            function: function.to_owned(),
            record: String::new(),
        })
    }

    /// The same, for one record of the contract's state: a value moved to another key does not open. At most 255 bytes.
    ///
    /// # Errors
    /// `Context` for a record that is too long.
    pub fn record(&self, record: &str) -> Result<Self, CompactError> {
        check("record", record)?;
        Ok(Self { record: record.to_owned(), ..self.clone() })
    }

    /// Form byte ‖ owner key if signed ‖ the four parts, LE16 length before each (spec compact, clause CV3).
    ///
    /// Injective: the form byte says whether an owner key follows, every other part has its length in front.
    pub(super) fn binding(&self, form: u8, owner: Option<&OwnerKey>) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.push(form);
        if let Some(owner) = owner {
            out.extend_from_slice(owner.as_bytes());
        }
        for part in [&self.chain, &self.contract, &self.function, &self.record] {
            let len = u16::try_from(part.len()).expect("parts were checked to have at most 255 bytes");
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out
    }
}

fn check(part: &'static str, text: &str) -> Result<(), CompactError> {
    if text.len() > CONTEXT_PART_BYTES_MAX {
        return Err(CompactError::Context { part, found: text.len() });
    }
    Ok(())
}
