//! Opening: whole, or a range; and rewriting who can open.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use bailiwick_envelope::{Opener, RangeAuthenticity, ReadAt, RecipientChange, RecipientPublicKey, Seekable};
use bailiwick_protocol::codec::Canonical as _;

use zeroize::Zeroizing;

use crate::files::{NewFile, open};
use crate::keys::system_rng;
use crate::{Code, Error, OwnerKey, OwnerPublic, Recipient, RecipientKey, Result};

/// What was opened. Name and media type are text from outside: not to be taken for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// As the owner gave it.
    pub name: String,
    /// As the owner gave it.
    pub media_type: String,
    /// Bytes of all data.
    pub data_bytes: u64,
}

/// What a range read gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRange {
    /// Of the object.
    pub object: Opened,
    /// Whether the ciphertext was checked against what the owner signed. Otherwise whoever can open the object, owner or recipient, could have
    /// written these bytes.
    pub owner_signed: bool,
}

/// A verified envelope and the key it holds.
#[derive(Debug)]
pub struct Object(Opener);

impl Object {
    /// Verifies `envelope` under the owner's key, known from elsewhere than the envelope, and opens it with one of `keys`.
    ///
    /// # Errors
    /// `Envelope`, `NoRecipient`, `WrongBody`.
    pub fn new(envelope: &[u8], owner: &OwnerPublic, keys: &[&RecipientKey]) -> Result<Self> {
        let keys = keys.iter().map(|k| k.copy()).collect::<Result<Vec<_>>>()?;
        Ok(Self(Opener::new(&owner.0, envelope, &keys)?))
    }

    /// `owner/object/unit`.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.envelope().name().to_string()
    }

    /// How often the envelope was rewritten, from 1. One seen before with a higher number means that an old state was given back.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.envelope().generation
    }

    /// Recipients the envelope has.
    #[must_use]
    pub fn recipients(&self) -> usize {
        self.0.envelope().recipients.len()
    }

    /// Bytes of the body.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.0.envelope().body.size
    }

    /// Decrypts a whole body. `out` receives authentic chunks as they come, and holds what the owner sealed *only* when this succeeds.
    ///
    /// # Errors
    /// `WrongBody`, `NotAuthentic`, `Malformed`, `Io`.
    pub fn open(&self, body: impl Read + Send, out: impl Write + Send) -> Result<Opened> {
        self.0.open(body, out).map(opened).map_err(Into::into)
    }

    /// Decrypts file `body` into the new file `out`, readable by this user, which appears only when all of it was checked.
    ///
    /// # Errors
    /// As [`Object::open`]; `Io` when `out` exists.
    pub fn open_file(&self, body: &Path, out: &Path) -> Result<Opened> {
        let from = open(body)?;
        let mut file = NewFile::create(out, 0o600)?;
        let done = self.open(from, &mut file)?;
        file.commit()?;
        Ok(done)
    }

    /// Decrypts `len` bytes of data from `offset` on, reading only the chunks they lie in, and the first and the last.
    ///
    /// # Errors
    /// `Range` when the data ends before, with nothing written; otherwise as [`Object::open`].
    pub fn range(
        &self,
        body: &mut impl ReadAt,
        offset: u64,
        len: u64,
        out: impl Write,
    ) -> Result<OpenedRange> {
        let read = self.0.open_range(body, offset, len, out)?;
        let owner_signed = matches!(read.authenticity, RangeAuthenticity::OwnerSigned);
        Ok(OpenedRange { object: opened(read.object), owner_signed })
    }

    /// Like [`Object::range`], into memory: `len` bytes, neither more nor less, wiped when dropped.
    ///
    /// # Errors
    /// As [`Object::range`].
    pub fn range_bytes(&self, body: &mut impl ReadAt, offset: u64, len: usize) -> Result<Zeroizing<Vec<u8>>> {
        let mut data = Zeroizing::new(Vec::new());
        self.range(body, offset, len as u64, &mut *data)?;
        exactly(data, len)
    }

    /// A file as the source of [`Object::range`].
    ///
    /// # Errors
    /// `Io`.
    pub fn source(path: &Path) -> Result<Seekable<File>> {
        Ok(Seekable(open(path)?))
    }
}

/// Callers copy `len` bytes into memory that others measured: checked here in every build, whatever reads ranges promises.
fn exactly(data: Zeroizing<Vec<u8>>, len: usize) -> Result<Zeroizing<Vec<u8>>> {
    if data.len() == len {
        return Ok(data);
    }
    Err(Error::new(Code::Internal, format!("a range of {len} bytes was read as {}", data.len())))
}

fn opened(o: bailiwick_envelope::Opened) -> Opened {
    Opened { name: o.metadata.name, media_type: o.metadata.media_type, data_bytes: o.data_len }
}

/// Who shall be able to open an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rewrap<'a> {
    /// Recipients that come.
    pub add: &'a [Recipient],
    /// Recipients that go. Whoever could open the object before and kept its file key, or the data, still can.
    pub remove: &'a [Recipient],
    /// These and nobody else; `add` and `remove` are empty then.
    pub replace: Option<&'a [Recipient]>,
    /// No entry names its key any more.
    pub anonymous: bool,
}

/// Signs the next generation of an object's envelope; none when nothing would change. The body stays as it is.
///
/// # Errors
/// `Rewrap`, `Recipients`, `Key`; `Argument` for another owner's key, or `replace` beside `add` or `remove`.
pub fn rewrap(object: &Object, owner: &OwnerKey, changes: &Rewrap<'_>) -> Result<Option<Vec<u8>>> {
    let keys = |of: &[Recipient]| -> Vec<RecipientPublicKey> { of.iter().map(|r| r.0.clone()).collect() };
    let (add, remove) = (keys(changes.add), keys(changes.remove));
    let replace = changes.replace.map(keys);
    if replace.is_some() && !(add.is_empty() && remove.is_empty()) {
        return Err(Error::new(Code::Argument, "replace stands alone, without add and remove"));
    }
    let recipients = match &replace {
        Some(keys) => RecipientChange::Replace(keys),
        None => RecipientChange::Edit { remove: &remove, add: &add },
    };
    let changes =
        bailiwick_envelope::Rewrap { recipients, anonymous: changes.anonymous, ..Default::default() };
    let signed = bailiwick_envelope::rewrap(&object.0, &changes, owner.signing(), &mut system_rng()?)?;
    Ok(signed.map(|s| s.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More would be written behind the caller's memory, less would leave what was there before.
    #[test]
    fn a_range_of_another_length_is_an_error_in_every_build() {
        let read = |len| Zeroizing::new(vec![7; len]);
        assert_eq!(*exactly(read(3), 3).expect("three are three"), [7; 3]);
        for (len, wanted) in [(4, 3), (2, 3), (0, 1), (1, 0)] {
            assert_eq!(exactly(read(len), wanted).expect_err("another length").code, Code::Internal);
        }
    }
}
