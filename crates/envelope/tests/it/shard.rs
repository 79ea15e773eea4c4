//! Units of a split object: own keys, opened together with others only.

use std::io::Read as _;

use bailiwick_envelope::{
    Metadata, OpenError, Opener, PaddedReader, PaddedWriter, Padding, RecipientSecretKey, SealError,
    SealOptions, ShardBody, ShardSealer,
};
use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Kem, ShardSet};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, Unit};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::fixture::{data, rng};

fn owner() -> SigningKey {
    SigningKey::from_seed(&Secret::init_with(|b| *b = [3; 32]))
}

fn options(recipients: &[bailiwick_envelope::RecipientPublicKey], shard: u16) -> SealOptions<'_> {
    SealOptions {
        owner: OwnerKey(owner().public()),
        object: ObjectId([7; 16]),
        unit: Unit { k: 2, n: 3, shard, replica: 0 },
        recipients,
        passphrase: None,
        anonymous: false,
        metadata: Metadata::default(),
        padding: Padding::None,
    }
}

fn set() -> ShardSet {
    ShardSet { code: 1, padded_length: 100, bodies: [9; 32] }
}

/// A body of one chunk of 64 bytes under `sealer`'s keys.
fn body(sealer: &ShardSealer, plain: &[u8; 64]) -> (Vec<u8>, ShardBody) {
    let mut sealed = [0; 80];
    sealer.cipher().seal(0, plain, &mut sealed);
    let bytes = [sealer.cipher().header().as_slice(), &sealed].concat();
    let blake3 = ContentId(*blake3::hash(&bytes).as_bytes());
    let about = ShardBody { size: bytes.len() as u64, blake3, commitment: None };
    (bytes, about)
}

#[test]
fn a_shard_opens_by_chunk_and_not_as_an_object() {
    let mut rng = rng(1);
    let reader = RecipientSecretKey::generate(Kem::X25519, &mut rng);
    let to = [reader.public()];
    let sealer = ShardSealer::new(&options(&to, 2), &mut rng).unwrap();
    let order = *sealer.cipher().order_key();
    let (bytes, about) = body(&sealer, &[4; 64]);
    let envelope = sealer.envelope(about, set(), 5, &owner()).unwrap().to_bytes();
    let opener = Opener::new(&OwnerKey(owner().public()), &envelope, &[reader]).unwrap();
    assert_eq!((opener.envelope().generation, opener.envelope().shards.as_ref()), (5, Some(&set())));
    let cipher = opener.shard_cipher();
    assert_eq!((cipher.header().as_slice(), cipher.order_key()), (&bytes[..56], &order));
    let mut plain = [0; 64];
    assert!(cipher.open(0, &bytes[56..], &mut plain));
    assert_eq!(plain, [4; 64]);
    // At another place, changed, or of another length it is not authentic.
    assert!(!cipher.open(1, &bytes[56..], &mut plain));
    let mut flipped = bytes[56..].to_vec();
    flipped[10] ^= 1;
    assert!(!cipher.open(0, &flipped, &mut plain));
    assert!(!cipher.open(0, &bytes[57..], &mut plain));
    // As an object of its own it is refused, not misread.
    let refused = opener.open(bytes.as_slice(), Vec::new());
    assert!(matches!(refused, Err(OpenError::Shard(unit)) if unit.shard == 2));
    let refused = opener.open_range(&mut bytes.as_slice(), 0, 1, Vec::new());
    assert!(matches!(refused, Err(OpenError::Shard(_))));
}

/// Two shards, and one shard sealed twice, share neither keys nor order.
#[test]
fn every_shard_has_its_own_keys() {
    let mut rng = rng(2);
    let to = [RecipientSecretKey::generate(Kem::X25519, &mut rng).public()];
    let made: Vec<_> =
        [0, 1, 0].map(|s| ShardSealer::new(&options(&to, s), &mut rng).unwrap()).into_iter().collect();
    for (i, a) in made.iter().enumerate() {
        for b in &made[..i] {
            assert_ne!(a.cipher().header(), b.cipher().header());
            assert_ne!(a.cipher().order_key(), b.cipher().order_key());
        }
    }
}

#[test]
fn no_recipient_and_no_generation_are_refused() {
    let mut rng = rng(3);
    assert!(matches!(ShardSealer::new(&options(&[], 0), &mut rng), Err(SealError::NoRecipient)));
    let to = [RecipientSecretKey::generate(Kem::X25519, &mut rng).public()];
    let sealer = ShardSealer::new(&options(&to, 0), &mut rng).unwrap();
    let (_, about) = body(&sealer, &[4; 64]);
    assert!(matches!(sealer.envelope(about, set(), 0, &owner()), Err(SealError::Generation)));
}

#[test]
fn what_is_padded_comes_apart_again() {
    for (len, padding) in [(0, Padding::None), (1, Padding::Padme), (40_000, Padding::Padme)] {
        let plain = data(len, 4);
        let metadata = Metadata { name: "n".into(), media_type: "t/t".into() };
        let mut padded = Vec::new();
        let mut reader = PaddedReader::new(&metadata, plain.as_slice(), padding).unwrap();
        reader.read_to_end(&mut padded).unwrap();
        assert_eq!(reader.data_len(), len as u64);
        let apart = |padded: &[u8]| {
            let mut back = Vec::new();
            let mut writer = PaddedWriter::new(&mut back, padded.len() as u64)?;
            for piece in padded.chunks(16_384) {
                writer.push(piece)?;
            }
            let opened = writer.finish()?;
            Ok::<_, OpenError>((opened, back))
        };
        let (opened, back) = apart(&padded).unwrap();
        assert_eq!((opened.metadata, opened.data_len), (metadata.clone(), len as u64));
        assert_eq!(back, plain);
        let at = padded.len() - 8;
        padded[at] = padded[at].wrapping_add(200);
        assert!(apart(&padded).is_err());
    }
    assert!(matches!(PaddedWriter::new(Vec::new(), 7), Err(OpenError::Layout(_))));
}
