//! Blocks of a body that is being made again, until it is certain that they are the ones the owner signed.
//!
//! A lost body comes back under the keys and nonces it had. Sealing wrong blocks on the way and writing them, even to a file that is
//! removed at once, would put two plaintexts under one AES-GCM key and nonce on a disk. So blocks wait here under a key of their own, drawn
//! for each attempt; what is sealed under the shard's key stays in memory until the whole body is known to have the signed BLAKE3.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use bailiwick_envelope::ShardCipher;
use bailiwick_envelope::cobblestone::{CHUNK_BYTES, TAG_BYTES};
use bailiwick_erasure::{Geometry, StripeEncoder};
use bailiwick_protocol::ids::ContentId;
use zeroize::Zeroizing;

use super::body::BodyFile;
use super::rebuild::{Stop, stripes, with_enough};
use super::set::Set;
use super::{in_parallel, threads};
use crate::keyfile;

/// The blocks of one body in a nameless file.
pub(crate) struct Staging<'a> {
    file: File,
    cipher: ShardCipher,
    geometry: &'a Geometry,
}

/// What of a damaged body is kept: all chunks but those that were made again.
pub(super) struct Kept<'a> {
    pub(super) file: &'a File,
    pub(super) made_again: &'a BTreeSet<u64>,
}

impl<'a> Staging<'a> {
    /// No blocks yet; the file is in `beside`.
    pub(super) fn new(beside: &Path, geometry: &'a Geometry) -> anyhow::Result<Self> {
        let file = tempfile::tempfile_in(beside)
            .with_context(|| format!("cannot create a temporary file in {}", beside.display()))?;
        Ok(Self { file, cipher: ShardCipher::ephemeral(&mut keyfile::system_rng()?), geometry })
    }

    /// Its blocks, to read and write.
    pub(super) fn body(&self) -> BodyFile<'_> {
        BodyFile { file: &self.file, cipher: &self.cipher, geometry: self.geometry }
    }

    /// Seals under `cipher` and writes to `into`, an empty file, if the body then has this BLAKE3; else false, and `into` stays empty.
    pub(crate) fn release(
        &self,
        cipher: &ShardCipher,
        signed: &ContentId,
        into: &File,
    ) -> anyhow::Result<bool> {
        self.release_with(cipher, None, signed, into)
    }

    /// Like [`Staging::release`] where only some blocks are here and the others are kept from a damaged body.
    pub(super) fn release_with(
        &self,
        cipher: &ShardCipher,
        kept: Option<&Kept<'_>>,
        signed: &ContentId,
        into: &File,
    ) -> anyhow::Result<bool> {
        if self.seal(cipher, kept, |_| Ok(()))? != *signed {
            return Ok(false);
        }
        let mut at = 0;
        let written = self.seal(cipher, kept, |piece| {
            into.write_all_at(piece, at)?;
            at += piece.len() as u64;
            Ok(())
        })?;
        ensure!(written == *signed, "the damaged body changed while it was read");
        Ok(true)
    }

    /// Seals under `cipher`, the key of a body that never was, and writes to `into`, an empty file.
    pub(crate) fn release_new(&self, cipher: &ShardCipher, into: &File) -> anyhow::Result<()> {
        let mut at = 0;
        self.seal(cipher, None, |piece| {
            into.write_all_at(piece, at)?;
            at += piece.len() as u64;
            Ok(())
        })?;
        Ok(())
    }

    /// Gives the body piece by piece; its BLAKE3.
    fn seal(
        &self,
        cipher: &ShardCipher,
        kept: Option<&Kept<'_>>,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> anyhow::Result<ContentId> {
        let block = self.geometry.block_bytes();
        let mut hasher = blake3::Hasher::new();
        let mut give = |piece: &[u8]| {
            hasher.update(piece);
            each(piece).context("cannot write the shard")
        };
        give(&cipher.header())?;
        let (mut plain, mut there) = (Zeroizing::new(vec![0; block]), Vec::new());
        let mut sealed = vec![0; block + TAG_BYTES];
        for index in 0..self.geometry.blocks() {
            if let Some(kept) = kept.filter(|k| !k.made_again.contains(&index)) {
                let from = BodyFile { file: kept.file, cipher, geometry: self.geometry };
                kept.file
                    .read_exact_at(&mut sealed, from.offset(index))
                    .context("cannot read the shard once more")?;
            } else {
                let authentic = self.body().read(index, &mut plain, &mut there)?;
                ensure!(authentic, "a chunk just written reads otherwise");
                cipher.seal(index, &plain, &mut sealed);
            }
            give(&sealed)?;
        }
        if block == CHUNK_BYTES {
            let mut end = [0; TAG_BYTES];
            cipher.seal(self.geometry.blocks(), &[], &mut end);
            give(&end)?;
        }
        Ok(ContentId(hasher.finalize().into()))
    }
}

/// All blocks of the shards of `again` (with the key of each one's order), from the shards `chosen`, exactly k, whose bodies were found to have
/// the signed BLAKE3 when this returns. Every call begins anew, under other keys.
pub(crate) fn stage<'a>(
    set: &'a Set,
    chosen: &[u16],
    again: &[(u16, &ShardCipher)],
    beside: &Path,
) -> Result<Vec<Staging<'a>>, Stop> {
    let geometry = &set.geometry;
    let (k, block) = (usize::from(geometry.k()), geometry.block_bytes());
    let staged = again.iter().map(|_| Staging::new(beside, geometry)).collect::<anyhow::Result<Vec<_>>>()?;
    let further_count = usize::from(geometry.n()) - k;
    let mut encoder = StripeEncoder::new(geometry)?;
    let mut further = Zeroizing::new(Vec::new());
    stripes(set, chosen, 0..geometry.stripes(), true, |first, data| {
        let count = data.len() / geometry.stripe_bytes();
        if again.iter().any(|(shard, _)| usize::from(*shard) >= k) {
            further.resize(count * further_count * block, 0);
            encoder.encode(data, &mut further)?;
        }
        in_parallel(threads(), again.iter().zip(&staged), |((shard, _), staging)| {
            let j = usize::from(*shard);
            let (from, of, at): (&[u8], usize, usize) =
                if j < k { (data, k * block, j) } else { (&further, further_count * block, j - k) };
            let mut plain = Zeroizing::new(Vec::with_capacity(count * block));
            for stripe in from.chunks_exact(of) {
                plain.extend_from_slice(&stripe[at * block..][..block]);
            }
            staging.body().write(first, &plain, &mut Vec::new())
        })?;
        Ok(())
    })?;
    for ((_, cipher), staging) in again.iter().zip(&staged) {
        staging.body().write_parity(cipher.order_key())?;
    }
    Ok(staged)
}

/// Makes the bodies of lost shards again in their files, which are empty, byte for byte as their envelopes say.
///
/// # Errors
/// Fewer than k usable shards; bodies that come out otherwise than signed. Nothing was written to the files then.
pub(crate) fn remake(set: &mut Set, beside: &Path, lost: &[(u16, &File)]) -> anyhow::Result<()> {
    let mut again = Vec::new();
    for (shard, file) in lost {
        let member = set.members.get(shard).context("a shard that was looked at")?;
        again.push((*shard, member.opener.shard_cipher(), member.envelope().body.blake3, *file));
    }
    let wanted: Vec<_> = again.iter().map(|(shard, cipher, ..)| (*shard, cipher)).collect();
    with_enough(set, beside, |set, chosen| {
        for ((shard, cipher, signed, file), staged) in again.iter().zip(stage(set, chosen, &wanted, beside)?)
        {
            if !staged.release(cipher, signed, file)? {
                let why = "the owner signed shards that do not fit together";
                return Err(anyhow!("shard {shard} comes out otherwise than its envelope says: {why}").into());
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bailiwick_envelope::{Metadata, Opener, Padding, RecipientSecretKey, SealOptions, ShardSealer};
    use bailiwick_erasure::bodies_digest;
    use bailiwick_protocol::codec::Canonical as _;
    use bailiwick_protocol::envelope::{Kem, SHARD_CODE_REED_SOLOMON, ShardSet};
    use bailiwick_protocol::ids::{ObjectId, OwnerKey, Unit};
    use bailiwick_protocol::secret::Secret;
    use bailiwick_protocol::signing::SigningKey;

    use super::*;
    use crate::shards::body_name;

    /// Two of three shards with twenty blocks of data and two of parity each; and who owns and opens them.
    struct Sealed {
        dir: tempfile::TempDir,
        owner: OwnerKey,
        reader: RecipientSecretKey,
    }

    const BLOCKS: u64 = 20;

    impl Sealed {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let mut rng = keyfile::system_rng().unwrap();
            let signer = SigningKey::from_seed(&Secret::init_with(|s| s.fill(7)));
            let owner = OwnerKey(signer.public());
            let reader = RecipientSecretKey::generate(Kem::X25519, &mut rng);
            let geometry = Geometry::new(2, 3, 2 * BLOCKS * CHUNK_BYTES as u64).unwrap();
            let data: Vec<u8> = (0..2 * usize::try_from(BLOCKS).unwrap() * CHUNK_BYTES)
                .map(|i| (i * i % 253).to_le_bytes()[0])
                .collect();
            let mut further = vec![0; data.len() / 2];
            StripeEncoder::new(&geometry).unwrap().encode(&data, &mut further).unwrap();
            let (mut sealers, mut bodies) = (Vec::new(), Vec::new());
            for shard in 0..3 {
                let options = SealOptions {
                    owner,
                    object: ObjectId([3; 16]),
                    unit: Unit { k: 2, n: 3, shard, replica: 0 },
                    recipients: &[reader.public()],
                    passphrase: None,
                    anonymous: false,
                    metadata: Metadata::default(),
                    padding: Padding::None,
                };
                let sealer = ShardSealer::new(&options, &mut rng).unwrap();
                let path = dir.path().join(body_name(shard));
                let file = File::options().read(true).write(true).create_new(true).open(path).unwrap();
                let plain: Vec<u8> = match shard {
                    2 => further.clone(),
                    j => {
                        data.chunks(CHUNK_BYTES).skip(usize::from(j)).step_by(2).flatten().copied().collect()
                    }
                };
                let body = BodyFile { file: &file, cipher: sealer.cipher(), geometry: &geometry };
                body.write_header().unwrap();
                body.write(0, &plain, &mut Vec::new()).unwrap();
                bodies.push(body.complete(false).unwrap());
                sealers.push(sealer);
            }
            let digests: Vec<[u8; 32]> = bodies.iter().map(|b| *b.blake3.as_bytes()).collect();
            let (code, padded_length) = (SHARD_CODE_REED_SOLOMON, geometry.padded_length());
            let set = ShardSet { code, padded_length, bodies: bodies_digest(&digests) };
            for (shard, (sealer, body)) in (0..).zip(sealers.into_iter().zip(bodies)) {
                let signed = sealer.envelope(body, set.clone(), 1, &signer).unwrap();
                fs::write(dir.path().join(body_name(shard) + ".envelope"), signed.to_bytes()).unwrap();
            }
            Self { dir, owner, reader }
        }

        fn body(&self, shard: u16) -> std::path::PathBuf {
            self.dir.path().join(body_name(shard))
        }

        fn load(&self) -> Set {
            let open =
                |bytes: &[u8]| Ok(Opener::new(&self.owner, bytes, std::slice::from_ref(&self.reader))?);
            Set::load(&[self.dir.path().to_owned()], &open).unwrap()
        }

        /// What whoever holds the key of `shard` can do: other bytes in chunk `index`, authentic. Takes a body, gives one.
        fn rewrite(&self, shard: u16, index: usize, body: &mut [u8]) {
            let set = self.load();
            let at = 56 + index * 16_400;
            set.members[&shard].cipher.seal(index as u64, &[9; CHUNK_BYTES], &mut body[at..at + 16_400]);
        }
    }

    fn empty_file() -> File {
        tempfile::tempfile().unwrap()
    }

    fn len(file: &File) -> u64 {
        file.metadata().unwrap().len()
    }

    /// A body whose reading fails is named like one that differs, and the others are judged all the same.
    #[test]
    fn a_body_that_cannot_be_read_is_named() {
        use crate::shards::rebuild::not_as_signed;
        let sealed = Sealed::new();
        let mut set = sealed.load();
        assert!(not_as_signed(&set, &[0, 1, 2]).unwrap().is_empty());
        let unreadable = File::options().write(true).open(sealed.body(1)).unwrap();
        set.members.get_mut(&1).unwrap().file = Some(unreadable);
        let named = not_as_signed(&set, &[0, 1, 2]).unwrap();
        let [(1, why)] = named.as_slice() else { panic!("{named:?}") };
        assert!(why.starts_with("it cannot be read: "), "{why}");
    }

    /// A reader rewrites one chunk and deletes another: the code inside then gives other bytes for the deleted one than the owner
    /// sealed there. Sealed under the key and nonce of that chunk they must not be written anywhere.
    #[test]
    fn wrong_repairs_are_never_sealed_onto_the_disk() {
        let sealed = Sealed::new();
        let honest = fs::read(sealed.body(0)).unwrap();
        // The honest twin: only deleted, and repaired as it was.
        let mut body = honest.clone();
        body[56 + 5 * 16_400..56 + 6 * 16_400].fill(0);
        fs::write(sealed.body(0), &body).unwrap();
        let (mut set, into) = (sealed.load(), empty_file());
        set.damage(0, "a test says so".to_owned());
        assert!(set.mend(0, into.try_clone().unwrap(), sealed.dir.path()).unwrap());
        let mut back = vec![0; honest.len()];
        into.read_exact_at(&mut back, 0).unwrap();
        assert!(back == honest && len(&into) == honest.len() as u64);
        sealed.rewrite(0, 3, &mut body);
        fs::write(sealed.body(0), &body).unwrap();
        let (mut set, into) = (sealed.load(), empty_file());
        set.damage(0, "a test says so".to_owned());
        assert!(!set.mend(0, into.try_clone().unwrap(), sealed.dir.path()).unwrap());
        assert!(
            set.notes().iter().any(|n| n.contains("someone who holds its key rewrote it")),
            "{:?}",
            set.notes()
        );
        assert_eq!(len(&into), 0, "a second plaintext under the same key and nonce");
    }

    /// A further copy of a shard, rewritten by a reader, takes the place of a lost one and spoils what is made from it. That is found
    /// out; and the body made from it, under the keys and nonces of the lost one, must not have been written by then.
    #[test]
    fn a_wrong_spare_never_meets_the_keys_of_a_lost_shard() {
        let sealed = Sealed::new();
        let lost = fs::read(sealed.body(2)).unwrap();
        let honest = fs::read(sealed.body(1)).unwrap();
        let spare = sealed.dir.path().join("spare");
        fs::copy(sealed.body(1).with_extension("shard.envelope"), spare.with_extension("envelope")).unwrap();
        let mut wrong = honest.clone();
        sealed.rewrite(1, 3, &mut wrong);
        for shard in [1, 2] {
            fs::remove_file(sealed.body(shard)).unwrap();
        }
        fs::write(&spare, &wrong).unwrap();
        let (mut set, into) = (sealed.load(), empty_file());
        let error = remake(&mut set, sealed.dir.path(), &[(2, &into)]).unwrap_err();
        assert!(format!("{error:#}").contains("1 of 3 shards are usable"), "{error:#}");
        assert!(set.notes().iter().any(|n| n.contains("spare") && n.contains("BLAKE3")), "{:?}", set.notes());
        assert_eq!(len(&into), 0, "a second plaintext under the same key and nonce");
        // The honest twin: the same copy as the owner sealed it.
        fs::write(&spare, &honest).unwrap();
        let (mut set, into) = (sealed.load(), empty_file());
        remake(&mut set, sealed.dir.path(), &[(2, &into)]).unwrap();
        let mut back = vec![0; lost.len()];
        into.read_exact_at(&mut back, 0).unwrap();
        assert!(back == lost && len(&into) == lost.len() as u64);
    }
}
