//! Seal an object, hand body and envelope to a store, read a range of it back.
//!
//! `cargo run --release -p bailiwick-envelope --example seal_store_range`
//!
//! The store is memory here; over a network it is anything that implements `ReadAt` by asking a host for ranges.

use std::collections::HashMap;
use std::error::Error;
use std::io;

use bailiwick_envelope::{
    Metadata, Opener, Padding, RangeAuthenticity, ReadAt, RecipientSecretKey, SealOptions, random_object_id,
    seal,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::ids::{OwnerKey, Unit, UnitName};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use rand_core::Rng as _;

/// What a host has of each object, and all it can see.
#[derive(Default)]
struct Store {
    objects: HashMap<UnitName, (Vec<u8>, Vec<u8>)>,
}

/// A body at the store, read range by range.
struct Remote<'a> {
    body: &'a [u8],
    asked: u64,
}

impl ReadAt for Remote<'_> {
    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.asked += buffer.len() as u64;
        self.body.read_exact_at(buffer, offset)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let owner = SigningKey::from_seed(&Secret::init_with(|seed| rng.fill_bytes(seed)));
    let reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);

    // Seal: data from any reader, body to any writer, in one pass and bounded memory.
    let data: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
    let options = SealOptions {
        owner: OwnerKey(owner.public()),
        object: random_object_id(&mut rng),
        unit: Unit::WHOLE,
        recipients: &[reader.public()],
        anonymous: false,
        metadata: Metadata { name: "numbers".into(), media_type: "application/octet-stream".into() },
        padding: Padding::Padme,
    };
    let mut body = Vec::new();
    let sealed = seal(data.as_slice(), &mut body, &options, &mut rng)?;
    let envelope = sealed.envelope(None, &owner)?.to_bytes();

    // Put.
    let name = UnitName { owner: options.owner, object: options.object, unit: options.unit };
    let mut store = Store::default();
    store.objects.insert(name, (envelope, body));

    // Range get: the owner key is pinned, the envelope is whatever the store says.
    let (envelope, body) = &store.objects[&name];
    let opener = Opener::new(&options.owner, envelope, &[reader])?;
    let mut remote = Remote { body, asked: 0 };
    let mut some = Vec::new();
    let range = opener.open_range(&mut remote, 2_000_000, 400, &mut some)?;
    assert_eq!(some, data[2_000_000..2_000_400]);
    assert_eq!(range.authenticity, RangeAuthenticity::KeyHoldersOnly);
    println!(
        "read 400 bytes of {:?} ({} bytes) by fetching {} of {} bytes; sealed for {} recipient(s)",
        range.object.metadata.name,
        range.object.data_len,
        remote.asked,
        body.len(),
        opener.envelope().recipients.len(),
    );
    Ok(())
}
