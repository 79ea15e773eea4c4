//! Placement files of split objects.

use bailiwick_erasure::Placement;

/// What is read keeps the promises of a placement: ascending shards, none above the limit, no host with more than allowed.
pub(super) fn placement(data: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(data) else { return false };
    let Ok(placement) = Placement::parse(text) else { return false };
    assert!(placement.places.is_sorted_by_key(|p| p.shard), "shards do not ascend");
    for place in &placement.places {
        assert!(place.shard < 255, "a shard beyond the limit");
        let here = placement.places.iter().filter(|p| p.host == place.host).count();
        assert!(here <= usize::from(placement.shards_per_host), "a host with too many shards");
    }
    true
}

pub(super) fn placement_seeds() -> Vec<Vec<u8>> {
    let host = |byte: u8| format!("{byte:02x}").repeat(32);
    let entry = |shard: u8| {
        format!("[[shard]]\nshard = {shard}\nnode = \"http://h{shard}:1\"\nhost = \"{}\"\n", host(shard))
    };
    let small = format!("version = 1\n{}", entry(0));
    let large = format!("version = 1\nshards_per_host = 2\n{}{}roots = \"r.pem\"\n", entry(1), entry(2));
    vec![small.into_bytes(), large.into_bytes()]
}
