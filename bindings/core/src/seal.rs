//! Sealing: from memory, from readers, from files.

use std::io::{Read, Write};
use std::path::Path;

use bailiwick_envelope::{Metadata, Padding, SealOptions, random_object_id};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::ids::Unit;

use crate::files::{NewFile, open};
use crate::keys::system_rng;
use crate::{Error, OwnerKey, Recipient, Result};

/// How to seal.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Name sealed with the data, at most 1,024 bytes.
    pub name: String,
    /// Media type sealed with the data, `text/csv` for instance.
    pub media_type: String,
    /// Leave the recipients' key ids out of the envelope.
    pub anonymous: bool,
    /// Do not hide the true length.
    pub no_padding: bool,
}

/// What came out beside the body.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The signed envelope: goes wherever the body goes.
    pub envelope: Vec<u8>,
    /// `owner/object/unit`.
    pub object: String,
    /// Bytes of data.
    pub data_bytes: u64,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// BLAKE3 of the body, hexadecimal: its content id.
    pub blake3: String,
}

/// Seals what `data` gives into `body`, in bounded memory, in one pass. Without a storage commitment: `bailiwick commit` adds it.
///
/// # Errors
/// Recipients are checked before anything is written. After an error what `body` received is useless.
pub fn seal(
    data: impl Read + Send,
    body: impl Write + Send,
    owner: &OwnerKey,
    recipients: &[Recipient],
    options: &Options,
) -> Result<Sealed> {
    let mut rng = system_rng()?;
    let recipients: Vec<_> = recipients.iter().map(|r| r.0.clone()).collect();
    let options = SealOptions {
        owner: owner.public().0,
        object: random_object_id(&mut rng),
        unit: Unit::WHOLE,
        recipients: &recipients,
        passphrase: None,
        anonymous: options.anonymous,
        metadata: Metadata { name: options.name.clone(), media_type: options.media_type.clone() },
        padding: if options.no_padding { Padding::None } else { Padding::Padme },
    };
    let sealed = bailiwick_envelope::seal(data, body, &options, &mut rng)?;
    let (data_bytes, body_bytes) = (sealed.data_len(), sealed.body().size);
    let blake3 = sealed.body().blake3.to_string();
    let object = format!("{}/{}/{}", options.owner, options.object, options.unit);
    let envelope = sealed.envelope(None, owner.signing())?.to_bytes();
    Ok(Sealed { envelope, object, data_bytes, body_bytes, blake3 })
}

/// Seals file `data` into the new files `body` and `envelope`; both appear whole or not at all.
///
/// # Errors
/// As [`seal`]; `Io` when one of the new files exists.
pub fn seal_file(
    data: &Path,
    body: &Path,
    envelope: &Path,
    owner: &OwnerKey,
    recipients: &[Recipient],
    options: &Options,
) -> Result<Sealed> {
    let from = open(data)?;
    let mut envelope_file = NewFile::create(envelope, 0o644)?;
    let mut body_file = NewFile::create(body, 0o644)?;
    let sealed = seal(from, &mut body_file, owner, recipients, options)?;
    let written = envelope_file.write_all(&sealed.envelope);
    written.map_err(|e| Error::io(format_args!("cannot write {}", envelope.display()), e))?;
    // Whoever finds the body under its name finds what opens it; a body alone would look like a sealed object and be lost.
    envelope_file.commit_before(body_file)?;
    Ok(sealed)
}
