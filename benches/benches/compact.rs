//! Small values of 1 KiB, one core, beside raw `hpke` single-shot sealing of the same bytes in the same run.
//!
//! Bars: 8,000 a second for one X25519 recipient, 4,000 for one X-Wing recipient, 50,000 where one set of recipients is used
//! for a batch. With `--test` it does a few of each.

use std::hint::black_box;
use std::time::Instant;

use anyhow::ensure;
use bailiwick_benches::process::cpu_seconds;
use bailiwick_benches::stats::median;
use bailiwick_envelope::RecipientSecretKey;
use bailiwick_envelope::compact::{BatchOpener, BatchSealer, Context, Options, open, seal};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable as _, Kem as HpkeKem, OpModeS};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng as StdRng;

const VALUE: [u8; 1024] = [0x5a; 1024];

/// Operations a second of processor time: medians over `rounds` of `n` each.
fn rate(rounds: usize, n: u32, mut f: impl FnMut()) -> f64 {
    let rates: Vec<f64> = (0..rounds)
        .map(|_| {
            let (wall, cpu) = (Instant::now(), cpu_seconds());
            (0..n).for_each(|_| f());
            // Other processes share the machine: what counts is this one's own time, which is at most the wall's.
            let spent = (cpu_seconds() - cpu).min(wall.elapsed().as_secs_f64());
            f64::from(n) / spent.max(1e-6)
        })
        .collect();
    median(&rates)
}

/// The peer: the key is read for every value, as whoever has only the library does.
fn peer<K: HpkeKem>(public: &[u8], rng: &mut StdRng) -> usize {
    let public = K::PublicKey::from_bytes(public).expect("a key that was just made");
    let (_, sealed) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        &public,
        b"info",
        &VALUE,
        &[],
        rng,
    )
    .expect("a good key");
    sealed.len()
}

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|a| a == "--test");
    let (rounds, n) = if quick { (1, 20) } else { (5, 5_000) };
    let mut rng = StdRng::from_seed([1; 32]);
    let context = Context::new("eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "put(bytes)")?;
    let options = Options::default();
    for (kem, name, bar) in
        [(Kem::X25519, "X25519", 8_000.0), (Kem::P256, "P-256", 0.0), (Kem::XWing, "X-Wing", 4_000.0)]
    {
        let key = RecipientSecretKey::generate(kem, &mut rng);
        let public = key.public();
        let recipients = [public.clone()];
        let sealed = seal(&VALUE, &context, &recipients, &options, &mut rng)?;
        let keys = [key];
        ensure!(*open(&sealed, &context, &keys, None)?.value == VALUE);
        let mut peer_rng = StdRng::from_seed([2; 32]);
        let theirs = rate(rounds, n, || {
            black_box(match kem {
                Kem::X25519 => peer::<X25519HkdfSha256>(public.as_bytes(), &mut peer_rng),
                Kem::P256 => peer::<hpke::kem::DhP256HkdfSha256>(public.as_bytes(), &mut peer_rng),
                Kem::XWing => peer::<XWing>(public.as_bytes(), &mut peer_rng),
            });
        });
        let ours = rate(rounds, n, || {
            black_box(seal(&VALUE, &context, &recipients, &options, &mut rng).expect("a good key"));
        });
        let opens = rate(rounds, n, || {
            black_box(open(&sealed, &context, &keys, None).expect("an honest value"));
        });
        show(&format!("one recipient, {name}"), ours, Some(theirs), sealed.len() - VALUE.len(), bar);
        show(&format!("  opening, {name}"), opens, None, 0, 0.0);
        let mut batch = BatchSealer::new(&context, &recipients, options, &mut rng)?;
        let value = batch.seal("record", &VALUE)?;
        let opener = BatchOpener::new(batch.header(), &context, &keys, None)?;
        let ours = rate(rounds, 100 * n, || {
            black_box(batch.seal("record", &VALUE).expect("room in the batch"));
        });
        let opens = rate(rounds, 100 * n, || {
            black_box(opener.open("record", &value).expect("an honest value"));
        });
        show(&format!("in a batch, {name}"), ours, Some(theirs), value.len() - VALUE.len(), 50_000.0);
        show(&format!("  opening in a batch, {name}"), opens, None, 0, 0.0);
        if kem == Kem::X25519 {
            let owner = SigningKey::from_seed(&Secret::init_with(|b| b.fill(9)));
            let mut batch = BatchSealer::new(
                &context,
                &recipients,
                Options { signer: Some(&owner), ..options },
                &mut rng,
            )?;
            let ours = rate(rounds, n, || {
                black_box(batch.seal("record", &VALUE).expect("room in the batch"));
            });
            show("in a batch, signed", ours, None, batch.seal("", &VALUE)?.len() - VALUE.len(), 0.0);
        }
    }
    Ok(())
}

fn show(what: &str, ours: f64, peer: Option<f64>, overhead: usize, bar: f64) {
    let peer = peer.map_or(String::new(), |p| format!("{:6.2}x single-shot hpke ({p:.0}/s)", ours / p));
    let size = if overhead == 0 { String::new() } else { format!("{overhead:5} bytes more") };
    let bar = if bar == 0.0 {
        String::new()
    } else {
        format!("bar {bar:.0}: {}", if ours >= bar { "met" } else { "MISSED" })
    };
    println!("{what:32} {ours:10.0}/s  {size:16} {bar:18} {peer}");
}
