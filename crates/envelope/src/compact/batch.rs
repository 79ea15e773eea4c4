//! Many values for the same recipients: one key, wrapped once; then symmetric work only.

use std::collections::BTreeSet;

use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::secret::Secret;
use rand_core::CryptoRng;

use super::keys::Schedule;
use super::layout::{
    BATCH_ID_BYTES, COMMITMENT_BYTES, Fields, Form, INDEX_BYTES, entries, form, split_signature,
};
use super::open::{authentic, unpad};
use super::recipients::{check, unwrap, wrap};
use super::seal::sign;
use super::{CompactError, Context, OpenedValue, Options};
use crate::kem::{RecipientPublicKey, RecipientSecretKey};

/// Seals values of one batch. Neither cloned nor stored: its count is what keeps nonces apart.
///
/// The key lives in memory only. A copy of the whole process (a fork, a resumed snapshot of a virtual machine) that goes on sealing
/// would use an index twice: begin a new batch after either.
#[derive(Debug)]
pub struct BatchSealer<'a> {
    context: Context,
    options: Options<'a>,
    owner: Option<OwnerKey>,
    schedule: Schedule,
    header: Vec<u8>,
    next: Option<u32>,
}

impl<'a> BatchSealer<'a> {
    /// Begins a batch for `recipients`, 1 to 16 different keys. The context's record is left out: every value has its own.
    ///
    /// # Errors
    /// As [`super::seal()`].
    pub fn new(
        context: &Context,
        recipients: &[RecipientPublicKey],
        options: Options<'a>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, CompactError> {
        check(recipients)?;
        let context = context.record("")?;
        let owner = options.signer.map(|k| OwnerKey(k.public()));
        let first = Form::BatchHeader.byte(false, owner.is_some());
        let binding = context.binding(first, owner.as_ref());
        let key = Secret::<32>::init_with(|k| rng.fill_bytes(k));
        let section = wrap(recipients, &key, &binding, rng)?;
        let schedule = Schedule::derive(&key, &binding, &section);
        let mut header = vec![first];
        header.extend_from_slice(&section);
        header.extend_from_slice(schedule.commitment());
        if let Some(signer) = options.signer {
            sign(&mut header, &binding, &[], signer);
        }
        Ok(Self { context, options, owner, schedule, header, next: Some(0) })
    }

    /// What recipients need once to open the batch's values: keep it where they find it, on the chain or beside it.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Seals the next value, for `record` of the context's function.
    ///
    /// # Errors
    /// `ValueTooLarge`, `PadTo`, `Context`; `BatchFull` after 2^32 values.
    pub fn seal(&mut self, record: &str, value: &[u8]) -> Result<Vec<u8>, CompactError> {
        let index = self.next.ok_or(CompactError::BatchFull)?;
        let context = self.context.record(record)?;
        let plain = self.options.pad.apply(value)?;
        let first = Form::BatchValue.byte(self.options.pad.is_some(), self.owner.is_some());
        let binding = context.binding(first, self.owner.as_ref());
        // Spent before it is used: no path leads back to it.
        self.next = index.checked_add(1);
        let sealed = self.schedule.seal(index, &plain, &binding);
        let mut out = Vec::with_capacity(1 + BATCH_ID_BYTES + INDEX_BYTES + sealed.len() + 64);
        out.push(first);
        out.extend_from_slice(&self.schedule.commitment()[..BATCH_ID_BYTES]);
        out.extend_from_slice(&index.to_be_bytes());
        out.extend_from_slice(&sealed);
        if let Some(signer) = self.options.signer {
            sign(&mut out, &binding, self.schedule.commitment(), signer);
        }
        Ok(out)
    }
}

/// Opens values of one batch.
#[derive(Debug)]
pub struct BatchOpener {
    context: Context,
    owner: Option<OwnerKey>,
    schedule: Schedule,
}

impl BatchOpener {
    /// Reads a batch's header. With `owner` header and values must carry that owner's signatures.
    ///
    /// # Errors
    /// As [`super::open()`].
    pub fn new(
        header: &[u8],
        context: &Context,
        secrets: &[RecipientSecretKey],
        owner: Option<&OwnerKey>,
    ) -> Result<Self, CompactError> {
        let context = context.record("")?;
        let found = form(header)?;
        let binding = authentic(header, &context, owner, &[], || expect(found, Form::BatchHeader))?;
        let (unsigned, _) = split_signature(header)?;
        let mut fields = Fields(&unsigned[1..]);
        let (recipients, section) = entries(&mut fields)?;
        let commitment: &[u8; COMMITMENT_BYTES] = fields.array("the key commitment")?;
        if !fields.0.is_empty() {
            return Err(CompactError::Trailing { found: fields.0.len() });
        }
        let key = unwrap(&recipients, secrets, &binding)?;
        let schedule = Schedule::derive(&key, &binding, section);
        if !schedule.commits(commitment) {
            return Err(CompactError::Commitment);
        }
        Ok(Self { context, owner: owner.copied(), schedule })
    }

    /// Opens one value. It says its index; whoever opens one value at a time compares indices to notice repetition.
    ///
    /// # Errors
    /// As [`super::open()`], and `OtherBatch`.
    pub fn open(&self, record: &str, sealed: &[u8]) -> Result<OpenedValue, CompactError> {
        let context = self.context.record(record)?;
        expect(form(sealed)?, Form::BatchValue)?;
        let commitment = self.schedule.commitment();
        let (unsigned, _) = split_signature(sealed)?;
        let mut fields = Fields(unsigned.get(1..).unwrap_or_default());
        if fields.take(BATCH_ID_BYTES, "the batch id")? != &commitment[..BATCH_ID_BYTES] {
            return Err(CompactError::OtherBatch);
        }
        let binding = authentic(sealed, &context, self.owner.as_ref(), commitment, || Ok(()))?;
        let index = u32::from_be_bytes(*fields.array("the index")?);
        let plain = self.schedule.open(index, fields.ciphertext()?, &binding);
        let value = unpad(unsigned[0], plain.ok_or(CompactError::NotOpened)?)?;
        Ok(OpenedValue { value, owner: self.owner, index })
    }

    /// Opens records and values in order, refusing an index that comes twice.
    ///
    /// # Errors
    /// As [`BatchOpener::open`], and `IndexRepeated`; nothing is returned then.
    pub fn open_all<'v>(
        &self,
        values: impl IntoIterator<Item = (&'v str, &'v [u8])>,
    ) -> Result<Vec<OpenedValue>, CompactError> {
        let mut seen = BTreeSet::new();
        values
            .into_iter()
            .map(|(record, sealed)| {
                let opened = self.open(record, sealed)?;
                if !seen.insert(opened.index) {
                    return Err(CompactError::IndexRepeated { index: opened.index });
                }
                Ok(opened)
            })
            .collect()
    }
}

fn expect(found: Form, expected: Form) -> Result<(), CompactError> {
    if found == expected {
        return Ok(());
    }
    Err(CompactError::WrongForm { found: found.name(), expected: expected.name() })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    /// E24: after the last index there is no next one, and no error gives an index back.
    #[test]
    fn e24_the_counter_ends_and_never_wraps() {
        let mut rng = rand::rngs::StdRng::from_seed([1; 32]);
        let context = Context::new("c", "c", "f").unwrap();
        let key = RecipientSecretKey::generate(bailiwick_protocol::envelope::Kem::X25519, &mut rng);
        let mut batch = BatchSealer::new(&context, &[key.public()], Options::default(), &mut rng).unwrap();
        batch.next = Some(u32::MAX - 1);
        let values = [batch.seal("", b"a").unwrap(), batch.seal("", b"b").unwrap()];
        assert_eq!(batch.seal("", b"c"), Err(CompactError::BatchFull));
        assert_eq!(batch.seal("", b"c"), Err(CompactError::BatchFull));
        let opener = BatchOpener::new(batch.header(), &context, &[key], None).unwrap();
        assert_eq!(values.map(|v| opener.open("", &v).unwrap().index), [u32::MAX - 1, u32::MAX]);
    }
}
