//! The rules of the witness protocol, one by one.

use bailiwick_translog::witness::{
    AddCheckpoint, PROOF_LINES_MAX, REQUEST_BYTES_MAX, Refusal, convicts, decide,
};
use bailiwick_translog::{
    Checkpoint, Hash, Log, Note, SignatureKind, SignedCheckpoint, VerifierKey, cosign, verify_growth,
};
use proptest::prelude::*;

use super::fixture::{Memory, entries, key, log_of, log_signer, signer, tree, witness};

/// Heads of one log at sizes 0 to 9, and its tiles.
struct History {
    memory: Memory,
    heads: Vec<SignedCheckpoint>,
}

impl History {
    fn new() -> Self {
        let (memory, mut log) = log_of(0);
        let mut heads = vec![log.head().clone()];
        for i in 0..9 {
            heads.push(log.append(&entries(i..i + 1)).unwrap().checkpoint);
        }
        Self { memory, heads }
    }

    fn request(&self, old: u64, new: usize) -> AddCheckpoint {
        let proof = tree(&self.memory, 9).consistency(old.min(new as u64), new as u64).unwrap();
        AddCheckpoint { old_size: old, proof, note: self.heads[new].note().clone() }
    }

    fn known(&self, size: usize) -> Option<&Checkpoint> {
        Some(self.heads[size].checkpoint())
    }
}

fn keys() -> Vec<VerifierKey> {
    vec![key(&log_signer())]
}

/// Another tree, signed with the log's own key.
fn fork(size: u64) -> SignedCheckpoint {
    let mut log = Log::create(Memory::default(), log_signer()).unwrap();
    let entries: Vec<Vec<u8>> = (0..size).map(|i| format!("fork {i}").into_bytes()).collect();
    log.append(&entries).unwrap().checkpoint
}

#[test]
fn honest_growth_is_accepted_from_nothing_and_from_every_size() {
    let h = History::new();
    for new in 0..=9 {
        assert_eq!(decide(&h.request(0, new), &keys(), None).unwrap(), h.heads[new]);
        for old in 0..=new {
            let request = AddCheckpoint::parse(&h.request(old as u64, new).to_bytes()).unwrap();
            assert_eq!(decide(&request, &keys(), h.known(old)).unwrap(), h.heads[new], "{old} to {new}");
        }
    }
}

/// "If the checkpoint origin is unknown: 404."
#[test]
fn unknown_origin_is_404() {
    let h = History::new();
    let other = vec![key(&signer("other.example", SignatureKind::Ed25519, 1))];
    for keys in [&[][..], &other] {
        let refusal = decide(&h.request(0, 3), keys, None).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::UnknownLog, 404));
    }
}

/// "If none of the signatures verify against a trusted public key: 403"; T06: a bad line of a known key too.
#[test]
fn t06_unsigned_or_badly_signed_is_403() {
    let h = History::new();
    let namesake = vec![key(&signer(log_signer().verifier().name(), SignatureKind::Ed25519, 9))];
    let refusal = decide(&h.request(0, 3), &namesake, None).unwrap_err();
    assert_eq!((refusal, refusal.status()), (Refusal::Unsigned, 403));
    // A good line of another checkpoint, beside the good one.
    let text = h.heads[3].note().to_text() + &h.heads[4].note().signatures()[0].to_line();
    let note = Note::parse(text.as_bytes()).unwrap();
    let request = AddCheckpoint { note, ..h.request(0, 3) };
    assert_eq!(decide(&request, &keys(), None), Err(Refusal::Unsigned));
    // The size is changed under the signature.
    let text = h.heads[3].note().to_text().replace("\n3\n", "\n4\n");
    let request = AddCheckpoint { note: Note::parse(text.as_bytes()).unwrap(), ..h.request(0, 3) };
    assert_eq!(decide(&request, &keys(), None), Err(Refusal::Unsigned));
    // Either of two keys of a log will do.
    let two = [namesake, keys()].concat();
    decide(&h.request(0, 3), &two, None).unwrap();
}

/// T02: "The old size MUST be equal to or lower than the checkpoint size. Otherwise: 400."
#[test]
fn t02_a_smaller_size_than_the_old_one_is_400() {
    let h = History::new();
    let request = AddCheckpoint { old_size: 5, proof: Vec::new(), note: h.heads[3].note().clone() };
    let refusal = decide(&request, &keys(), h.known(5)).unwrap_err();
    assert_eq!((refusal, refusal.status()), (Refusal::Shrinks, 400));
}

/// T02: "old size matches the size of the latest checkpoint it cosigned. Otherwise: 409", with that size.
#[test]
fn t02_another_old_size_than_the_known_one_is_409_with_it() {
    let h = History::new();
    for (old, new, known) in [(0, 3, 5), (3, 3, 5), (4, 6, 5), (6, 9, 5), (1, 2, 0)] {
        let refusal = decide(&h.request(old, new), &keys(), h.known(known)).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::Stale { size: known as u64 }, 409));
    }
    assert_eq!(decide(&h.request(1, 2), &keys(), None), Err(Refusal::Stale { size: 0 }));
}

/// T01: "If the old size matches the checkpoint size, the root hashes must be identical": a split view is refused, 422.
#[test]
fn t01_two_roots_of_one_size_are_422() {
    let h = History::new();
    for size in 1..=9 {
        let split = fork(size);
        let request = AddCheckpoint { old_size: size, proof: Vec::new(), note: split.note().clone() };
        let refusal = decide(&request, &keys(), h.known(size as usize)).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::Inconsistent, 422));
    }
    // The same one again is cosigned again, with a newer time.
    decide(&h.request(5, 5), &keys(), h.known(5)).unwrap();
}

/// T01: growth of another tree than the one cosigned, with proofs of either tree: 422.
#[test]
fn t01_growth_of_another_tree_is_422() {
    let h = History::new();
    let split = fork(7);
    let theirs = Memory::default();
    let mut log = Log::create(theirs.clone(), log_signer()).unwrap();
    log.append(&(0..7).map(|i| format!("fork {i}").into_bytes()).collect::<Vec<_>>()).unwrap();
    for proof in [h.request(4, 7).proof, tree(&theirs, 7).consistency(4, 7).unwrap(), Vec::new()] {
        let request = AddCheckpoint { old_size: 4, proof, note: split.note().clone() };
        assert_eq!(decide(&request, &keys(), h.known(4)), Err(Refusal::Inconsistent));
    }
}

/// "The proof MUST be empty if the old size is zero", and for equal sizes; a bad, long or short one is 422.
#[test]
fn bad_proofs_are_422() {
    let h = History::new();
    let extra = |mut r: AddCheckpoint| {
        r.proof.push(Hash([0; 32]));
        r
    };
    let inconsistent = Err(Refusal::Inconsistent);
    assert_eq!(decide(&extra(h.request(0, 3)), &keys(), None), inconsistent);
    assert_eq!(decide(&extra(h.request(3, 3)), &keys(), h.known(3)), inconsistent);
    assert_eq!(decide(&extra(h.request(3, 7)), &keys(), h.known(3)), inconsistent);
    let mut short = h.request(3, 7);
    short.proof.pop();
    assert_eq!(decide(&short, &keys(), h.known(3)), inconsistent);
    let mut bent = h.request(3, 7);
    bent.proof[0].0[0] ^= 1;
    assert_eq!(decide(&bent, &keys(), h.known(3)), inconsistent);
}

/// A checkpoint of size 0 has the empty root, else 422.
#[test]
fn size_zero_with_another_root_is_422() {
    let h = History::new();
    decide(&h.request(0, 0), &keys(), None).unwrap();
    // The log's own key signs nonsense: Log does not do that, so the note is made by hand.
    let forged = forged_checkpoint(0, Hash([3; 32]));
    let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note: forged };
    let refusal = decide(&request, &keys(), None).unwrap_err();
    assert_eq!((refusal, refusal.status()), (Refusal::Inconsistent, 422));
    // The sizes are judged first, as for every other checkpoint.
    let with_old = |old_size| AddCheckpoint { old_size, ..request.clone() };
    assert_eq!(decide(&with_old(1), &keys(), None), Err(Refusal::Shrinks));
    assert_eq!(decide(&request, &keys(), h.known(5)), Err(Refusal::Stale { size: 5 }));
    // By itself it convicts the log, whatever the answer is.
    assert!(convicts(&request, &keys(), h.known(5)) && convicts(&with_old(1), &keys(), None));
}

/// T01: what convicts a log is two roots of one size, both signed by it; a bad proof, a stranger's note or honest growth does not.
#[test]
fn t01_only_contradictions_convict() {
    let h = History::new();
    for size in 1..=9 {
        let split = AddCheckpoint { old_size: 0, proof: Vec::new(), note: fork(size).note().clone() };
        for known in 1..=9 {
            assert_eq!(convicts(&split, &keys(), h.known(known)), known as u64 == size);
            assert!(!convicts(&h.request(3, 7), &keys(), h.known(known)), "honest growth");
        }
        assert!(!convicts(&split, &keys(), None));
        assert!(!convicts(
            &split,
            &[key(&signer("other", SignatureKind::Ed25519, 1))],
            h.known(size as usize)
        ));
    }
    let mut junk = h.request(5, 5);
    junk.proof.push(Hash([0; 32]));
    assert_eq!(decide(&junk, &keys(), h.known(5)), Err(Refusal::Inconsistent));
    assert!(!convicts(&junk, &keys(), h.known(5)));
    // A text of the same size that the log has not signed.
    let text = h.heads[5]
        .note()
        .to_text()
        .replace(&h.heads[5].checkpoint().root.to_base64(), &Hash([9; 32]).to_base64());
    let made_up = AddCheckpoint { note: Note::parse(text.as_bytes()).unwrap(), ..h.request(5, 5) };
    assert!(!convicts(&made_up, &keys(), h.known(5)));
}

fn forged_checkpoint(size: u64, root: Hash) -> Note {
    use bailiwick_protocol::secret::Secret;
    use bailiwick_protocol::signing::SigningKey;
    let log = log_signer();
    let text = Checkpoint::new(log.verifier().name(), size, root).to_text();
    let raw = SigningKey::from_seed(&Secret::init_with(|s| s.fill(1))).sign_raw(text.as_bytes());
    let bytes = [log.verifier().id().as_slice(), &raw.0].concat();
    let as_extra = bailiwick_translog::TlogProof {
        extra: Some(bytes),
        index: 0,
        path: Vec::new(),
        checkpoint: Vec::new(),
    };
    let line = String::from_utf8(as_extra.to_bytes()).unwrap();
    let base64 = line.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    Note::parse(format!("{text}\n\u{2014} {} {base64}\n", log.verifier().name()).as_bytes()).unwrap()
}

/// T11: with the log's stolen key, an attacker's tree gets no cosignature of a witness that has seen the log, so it stays below quorum.
#[test]
fn t11_key_compromise_alone_gives_no_witnessed_fork() {
    let h = History::new();
    let stolen = fork(9);
    for known in 1..=9 {
        for old in [0, known as u64] {
            let request =
                AddCheckpoint { old_size: old, proof: h.request(old, 9).proof, note: stolen.note().clone() };
            decide(&request, &keys(), h.known(known)).unwrap_err();
        }
    }
    let policy = bailiwick_translog::LogPolicy::new(key(&log_signer()), vec![key(&witness(1))], 1).unwrap();
    policy.open(stolen.note().to_text().as_bytes()).unwrap_err();
    // The two signed checkpoints together convict the key.
    verify_growth(&h.heads[9], &stolen, &[]).unwrap_err();
}

/// The size of a request is bounded: at most 63 lines, and a note of limited length.
#[test]
fn malformed_requests_are_400() {
    let h = History::new();
    let good = String::from_utf8(h.request(3, 7).to_bytes()).unwrap();
    let line = Hash([1; 32]).to_base64() + "\n";
    let many = |n: usize| good.replacen("old 3\n", &format!("old 3\n{}", line.repeat(n)), 1);
    let own = h.request(3, 7).proof.len();
    AddCheckpoint::parse(many(PROOF_LINES_MAX - own).as_bytes()).unwrap();
    for bad in [
        String::new(),
        "old 3\n".to_owned(),
        good.replace("old 3", "old 03"),
        good.replace("old 3", "old -3"),
        good.replace("old 3", "OLD 3"),
        good.replace("old 3\n", "old 3 \n"),
        good.replace("old 3\n", ""),
        good.replace("old 3\n", "old 3\nnot base64\n"),
        good.replace('\n', "\r\n"),
        many(PROOF_LINES_MAX - own + 1),
        format!("{good}\n"),
        "x".repeat(REQUEST_BYTES_MAX + 1),
    ] {
        let refusal = AddCheckpoint::parse(bad.as_bytes()).unwrap_err();
        assert_eq!((refusal, refusal.status()), (Refusal::Malformed, 400), "{bad:.60}");
    }
    // A note that is no checkpoint.
    let note = Note::parse(b"hello\n\n\xe2\x80\x94 a AAAAAAA=\n").unwrap();
    let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note };
    assert_eq!(decide(&request, &keys(), None), Err(Refusal::Malformed));
}

/// A witness's answer is taken only if it verifies under that witness's key, over this checkpoint.
#[test]
fn answers_of_witnesses_are_verified_before_they_are_added() {
    let h = History::new();
    let (w1, w2) = (witness(1), witness(2));
    let line = |head: usize, w| cosign(&h.heads[head], w, 77).unwrap().to_line();
    let mut signed = h.heads[5].clone();
    let before = signed.clone();
    for bad in [
        "",
        "junk\n",
        "\u{2014} x AAAA\n",
        &line(4, &w1),
        &line(5, &w2),
        &format!("{}\n{}", line(4, &w2), line(5, &w1)),
    ] {
        signed.add_cosignatures(bad.as_bytes(), &key(&w1)).unwrap_err();
        assert_eq!(signed, before, "{bad}");
    }
    // With lines of keys nobody knows, which are dropped.
    let answer = line(5, &w2) + &line(5, &w1);
    assert_eq!(signed.add_cosignatures(answer.as_bytes(), &key(&w1)).unwrap().time, 77);
    assert_eq!(signed.note().signatures().len(), 2);
    signed.add_cosignatures(answer.as_bytes(), &key(&w1)).unwrap();
    assert_eq!(signed.note().signatures().len(), 2, "the same line is not added twice");
    assert_eq!(signed.cosignatures(&[key(&w1)]).unwrap().len(), 1);
}

/// T06: a witness that answers with as many good lines as a note may have adds one line, its latest.
#[test]
fn t06_a_witness_adds_one_line_however_many_it_sends() {
    let h = History::new();
    let w1 = witness(1);
    let line = |time| cosign(&h.heads[5], &w1, time).unwrap().to_line();
    // The latest in the middle.
    let answer: String = (100..132).chain((68..100).rev()).map(line).collect();
    let mut signed = h.heads[5].clone();
    assert_eq!(signed.add_cosignatures(answer.as_bytes(), &key(&w1)).unwrap().time, 131);
    assert_eq!(signed.note().signatures().len(), 2);
    assert_eq!(signed.note().signatures()[1].to_line(), line(131));
    // An older one later changes nothing, a newer one replaces.
    signed.add_cosignatures(line(130).as_bytes(), &key(&w1)).unwrap();
    assert_eq!(signed.note().signatures()[1].to_line(), line(131));
    signed.add_cosignatures(line(132).as_bytes(), &key(&w1)).unwrap();
    assert_eq!(signed.note().signatures().len(), 2);
    assert_eq!(signed.note().signatures()[1].to_line(), line(132));
    // 64 good lines of one key are a note of 64 lines, and so is the checkpoint that took them.
    Note::parse(signed.note().to_text().as_bytes()).unwrap();
}

proptest! {
    #[test]
    fn requests_round_trip_or_are_refused(text in "old [0-9]{1,3}\n([A-Za-z0-9+/]{43}=\n){0,2}\n[a-z]{1,5}\n\n\u{2014} [a-z]{1,3} [A-Za-z0-9+/]{8}\n") {
        if let Ok(request) = AddCheckpoint::parse(text.as_bytes()) {
            prop_assert_eq!(request.to_bytes(), text.into_bytes());
        }
    }

    /// T03: whatever requests come in whatever order, honest and forked, the witness's sizes never fall, and any two checkpoints it
    /// cosigned are consistent.
    #[test]
    fn t03_cosigned_checkpoints_never_contradict(steps in prop::collection::vec((0u64..=9, 0usize..=9, any::<bool>()), 1..40)) {
        let h = History::new();
        let mut known: Option<Checkpoint> = None;
        for (old, new, forked) in steps {
            let mut request = h.request(old, new);
            if forked && new > 0 {
                request.note = fork(new as u64).note().clone();
            }
            if let Ok(signed) = decide(&request, &keys(), known.as_ref()) {
                let new = signed.checkpoint().clone();
                if let Some(known) = &known {
                    prop_assert!(new.size >= known.size);
                    // Both are of the honest tree, or both of the fork.
                    let honest = |c: &Checkpoint| h.heads[c.size as usize].checkpoint() == c;
                    prop_assert!(known.size == 0 || honest(known) == honest(&new));
                }
                known = Some(new);
            }
        }
    }
}
