use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bailiwick_client::Client;
use bailiwick_envelope::{
    Metadata, Opener, Padding, RecipientSecretKey, SealOptions, random_object_id, seal,
};
use bailiwick_possession::tree::TreeBuilder;
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{CellCommitment, Kem};
use bailiwick_protocol::ids::{OwnerKey, Unit};
use bailiwick_protocol::signing::SigningKey;

/// Seals `file` into `body`, stores it at the node of `client`, and reads `len` bytes of the plaintext from `offset` on.
/// Returns them, and how many of the body's 124 KiB blocks travelled for them. The file may be larger than memory.
fn seal_put_range(
    client: &Client,
    owner: &SigningKey,
    file: &Path,
    body: &Path,
    (offset, len): (u64, u64),
) -> Result<(Vec<u8>, u64), Box<dyn std::error::Error>> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let pinned = OwnerKey(owner.public());
    let reader = RecipientSecretKey::generate(Kem::XWing, &mut rng);

    // Seal, then commit to the sealed bytes: a node stores nothing it cannot be asked to prove.
    let options = SealOptions {
        owner: pinned,
        object: random_object_id(&mut rng),
        unit: Unit::WHOLE,
        recipients: &[reader.public()],
        passphrase: None,
        anonymous: false,
        metadata: Metadata { name: "example".into(), media_type: "application/octet-stream".into() },
        padding: Padding::Padme,
    };
    let sealed = seal(File::open(file)?, File::create_new(body)?, &options, &mut rng)?;
    let mut tree = TreeBuilder::new();
    let (mut stored, mut piece) = (File::open(body)?, vec![0; 1 << 20]);
    loop {
        match stored.read(&mut piece)? {
            0 => break,
            n => tree.update(&piece[..n]),
        }
    }
    let tree = tree.finish()?;
    let commitment = CellCommitment { root: tree.root(), cells: tree.cells() };
    let envelope = sealed.envelope(Some(commitment), owner)?;

    // Put. The node has it durably when this returns; it can read neither name nor content.
    let unit = envelope.verify(pinned.as_bytes())?.name();
    client.put(&unit, &envelope.to_bytes(), || File::open(body), std::fs::metadata(body)?.len())?;

    // Range get. The owner key is pinned and the envelope is whatever the node says; every block that comes is checked
    // against the root the owner signed before a byte of it is decrypted.
    let envelope = client.envelope(&unit)?.to_bytes();
    let opener = Opener::new(&pinned, &envelope, &[reader])?;
    let mut remote = client.verified_body(opener.envelope());
    let mut range = Vec::new();
    opener.open_range(&mut remote, offset, len, &mut range)?;
    Ok((range, remote.blocks_fetched()))
}
