//! A passphrase as a way to the file key: Argon2id, then HKDF to an AEAD key and a commitment to it (spec envelope, clause E18).

use std::sync::{Mutex, PoisonError};

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bailiwick_protocol::codec::CodecError;
use bailiwick_protocol::envelope::{PassphraseEntry, check_passphrase_cost};
use bailiwick_protocol::labels::Label;
use bailiwick_protocol::secret::Secret;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cobblestone::expand_sha512;
use crate::kem::Context;

/// Bytes of a passphrase, at most.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Why a passphrase cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassphraseError {
    /// None, or a longer one than [`PASSPHRASE_BYTES_MAX`].
    #[error("a passphrase has 1 to {PASSPHRASE_BYTES_MAX} bytes, this one {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// A cost outside the limits of an envelope.
    #[error("passphrase cost")]
    Cost(#[from] CodecError),
    /// The memory that one guess takes is not to be had.
    #[error("a guess of this passphrase takes {} MiB of memory, which this process did not get", .kib.div_ceil(1024))]
    Memory {
        /// KiB asked for.
        kib: u32,
    },
}

/// A passphrase: its bytes as they were typed, in UTF-8 without any normalisation. Wiped on drop, never printed.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the bytes over.
    ///
    /// # Errors
    /// `Length`.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, PassphraseError> {
        match bytes.len() {
            1..=PASSPHRASE_BYTES_MAX => Ok(Self(bytes)),
            found => Err(PassphraseError::Length { found }),
        }
    }
}

impl core::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What one guess costs: memory in KiB, passes over it, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for PassphraseCost {
    /// 64 MiB, three passes, four lanes: the second recommended choice of RFC 9106 section 4.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 4 }
    }
}

impl PassphraseCost {
    /// A cost within the limits of clause E16.
    ///
    /// # Errors
    /// `Cost`.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, PassphraseError> {
        check_passphrase_cost(memory_kib, passes, lanes)?;
        Ok(Self { memory_kib, passes, lanes })
    }
}

/// A passphrase that shall open an object.
#[derive(Clone, Copy, Debug)]
pub struct PassphraseRecipient<'a> {
    /// The passphrase.
    pub passphrase: &'a Passphrase,
    /// What one guess costs.
    pub cost: PassphraseCost,
    /// Said on purpose: it stands beside recipients' keys, though the object is then only as strong as the passphrase.
    pub beside_keys: bool,
}

static DERIVING: Mutex<()> = Mutex::new(());

/// The memory of one derivation, wiped on drop; none when there is not as much. The crate's own allocation ends in a panic instead.
fn blocks(params: &Params) -> Option<Zeroizing<Vec<Block>>> {
    let mut blocks = Zeroizing::new(Vec::new());
    blocks.try_reserve_exact(params.block_count()).ok()?;
    blocks.resize(params.block_count(), Block::new());
    Some(blocks)
}

/// AEAD key[32] ‖ commitment[32].
fn derive(
    context: &Context<'_>,
    passphrase: &Passphrase,
    cost: PassphraseCost,
    salt: &[u8; 16],
) -> Result<Secret<64>, PassphraseError> {
    let PassphraseCost { memory_kib, passes, lanes } = cost;
    // Checked here, too: an entry that was built and not decoded may have any cost.
    check_passphrase_cost(memory_kib, passes, lanes)?;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).expect("narrower limits were checked");
    // Commands derive for many objects on all cores; the memory of one derivation at a time is what an envelope may ask for.
    let _one_at_a_time = DERIVING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = blocks(&params).ok_or(PassphraseError::Memory { kib: memory_kib })?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let prk = Secret::<32>::init_with(|out| {
        argon
            .hash_password_into_with_memory(&passphrase.0, salt, out, memory.as_mut_slice())
            .expect("lengths, cost and number of blocks are within limits");
    });
    drop(memory);
    let suite = context.suite.to_le_bytes();
    let info = [Label::Passphrase.as_bytes(), &suite, context.owner.as_bytes(), context.object.as_bytes()];
    Ok(Secret::init_with(|okm| expand_sha512(prk.expose_secret(), &info, okm)))
}

fn halves(okm: &Secret<64>) -> (&[u8; 32], &[u8; 32]) {
    let (key, commitment) = okm.expose_secret().split_at(32);
    (key.try_into().expect("half of 64 bytes"), commitment.try_into().expect("half of 64 bytes"))
}

/// Seals `file_key` under a passphrase; the salt is fresh, so the AEAD key is used once and its nonce is zero.
pub(crate) fn wrap(
    context: &Context<'_>,
    with: &PassphraseRecipient<'_>,
    file_key: &Secret<32>,
    rng: &mut impl CryptoRng,
) -> Result<PassphraseEntry, PassphraseError> {
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let okm = derive(context, with.passphrase, with.cost, &salt)?;
    let (key, commitment) = halves(&okm);
    let mut ciphertext = [0; 48];
    let (sealed, tag) = ciphertext.split_at_mut(32);
    let made = Aes256Gcm::new(key.into())
        .encrypt_inout_detached(
            &[0; 12].into(),
            &[],
            InOutBuf::new(file_key.expose_secret(), sealed).expect("both have 32 bytes"),
        )
        .expect("32 bytes are within the AEAD's limit");
    tag.copy_from_slice(&made);
    let PassphraseCost { memory_kib, passes, lanes } = with.cost;
    Ok(PassphraseEntry { memory_kib, passes, lanes, salt, commitment: *commitment, ciphertext })
}

/// Opens an entry; none when the passphrase is not the one, whatever the reason.
///
/// # Errors
/// `Cost` and `Memory`: nothing was tried.
pub(crate) fn unwrap(
    context: &Context<'_>,
    passphrase: &Passphrase,
    entry: &PassphraseEntry,
) -> Result<Option<Secret<32>>, PassphraseError> {
    let cost = PassphraseCost { memory_kib: entry.memory_kib, passes: entry.passes, lanes: entry.lanes };
    let okm = derive(context, passphrase, cost, &entry.salt)?;
    let (key, commitment) = halves(&okm);
    // Before the AEAD, which does not commit to its key: one ciphertext never answers two guesses.
    if !bool::from(commitment.ct_eq(&entry.commitment)) {
        return Ok(None);
    }
    let (sealed, tag) = entry.ciphertext.split_at(32);
    let tag: [u8; 16] = tag.try_into().expect("48 bytes less 32");
    let opened = Secret::try_init_with(|out| {
        let buffer = InOutBuf::new(sealed, out.as_mut_slice()).map_err(|_| ())?;
        Aes256Gcm::new(key.into())
            .decrypt_inout_detached(&[0; 12].into(), &[], buffer, &tag.into())
            .map_err(|_| ())
    });
    Ok(opened.ok())
}
