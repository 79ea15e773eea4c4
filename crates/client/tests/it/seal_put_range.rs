//! The example, run; and what it would do at a node that lies.

use std::io::Write as _;

use bailiwick_envelope::{OpenError, RangeAuthenticity, ReadAt as _};

#[path = "../../examples/seal_put_range/loopback.rs"]
mod loopback;

include!("../../examples/seal_put_range/steps.rs");

fn file(node: &loopback::Loopback, len: u32) -> (std::path::PathBuf, Vec<u8>) {
    let data: Vec<u8> = (0..len / 4).flat_map(u32::to_le_bytes).collect();
    let path = node.dir.path().join("plain");
    File::create(&path).unwrap().write_all(&data).unwrap();
    (path, data)
}

/// The steps of the example and of the crate's documentation, on a file of several blocks: the right bytes, and few of them travel.
#[test]
fn seal_put_and_get_a_range() {
    let node = loopback::Loopback::start().unwrap();
    let (path, data) = file(&node, 2_000_000);
    let ranges = [(0, 1), (1_000_000, 400), (126_900, 200), (1_999_999, 1), (0, 2_000_000)];
    for (i, (offset, len)) in ranges.into_iter().enumerate() {
        let body = node.dir.path().join(format!("sealed-{i}"));
        let (range, blocks) = seal_put_range(&node.client, &node.owner, &path, &body, (offset, len)).unwrap();
        let from = usize::try_from(offset).unwrap();
        assert!(range == data[from..from + usize::try_from(len).unwrap()], "{offset} {len}");
        if len < 1000 {
            assert!(blocks <= 7, "of 17: the first, the last two, and those of the range: {blocks}");
        }
    }
    let body = node.dir.path().join("sealed");
    let error = seal_put_range(&node.client, &node.owner, &path, &body, (2_000_000, 1)).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(OpenError::Range { .. })), "{error}");
}

/// A block that does not lead to the signed root is not handed on, and nothing past the end is made up.
#[test]
fn a_source_of_ranges_gives_verified_bytes_only() {
    let node = loopback::Loopback::start().unwrap();
    let (path, _) = file(&node, 300_000);
    let body = node.dir.path().join("sealed");
    seal_put_range(&node.client, &node.owner, &path, &body, (0, 1)).unwrap();
    let stored = node.client.list_all().unwrap().remove(0).name().unwrap();
    let envelope = node.client.envelope(&stored).unwrap().verify(stored.owner.as_bytes()).unwrap();
    let sealed = std::fs::read(&body).unwrap();

    let mut honest = node.client.verified_body(&envelope);
    assert_eq!(honest.authenticity(), RangeAuthenticity::OwnerSigned);
    let mut buffer = [0; 1000];
    honest.read_exact_at(&mut buffer, 126_500).unwrap();
    assert!(buffer == sealed[126_500..127_500], "across two blocks");
    let end = envelope.body.size;
    honest.read_exact_at(&mut buffer, end - 1000).unwrap();
    for past in [end - 999, end, u64::MAX] {
        let error = honest.read_exact_at(&mut buffer, past).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{past}");
    }

    let mut other = envelope.clone();
    other.commitment.as_mut().unwrap().root.0[0] ^= 1;
    let error = node.client.verified_body(&other).read_exact_at(&mut buffer, 0).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
}
