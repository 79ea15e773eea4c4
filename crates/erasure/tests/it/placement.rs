//! Placement files.

use bailiwick_erasure::{PLACEMENT_BYTES_MAX, Placement, PlacementError};

fn entry(shard: u64, node: &str, host: u8) -> String {
    format!(
        "[[shard]]\nshard = {shard}\nnode = \"{node}\"\nhost = \"{}\"\n",
        format!("{host:02x}").repeat(32)
    )
}

fn file(entries: &[String]) -> String {
    format!("version = 1\n{}", entries.concat())
}

#[test]
fn a_placement_is_read_in_the_order_of_its_shards() {
    let text =
        file(&[entry(1, "https://b.example", 2) + "roots = \"b.pem\"\n", entry(0, "http://a.example:1", 1)]);
    let p = Placement::parse(&text).unwrap();
    assert_eq!(p.shards_per_host, 1);
    assert_eq!(p.places.iter().map(|p| (p.shard, p.host[0])).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
    assert_eq!(p.places[1].roots.as_deref(), Some("b.pem"));
    p.check_complete(2).unwrap();
    for n in [1, 3] {
        assert!(matches!(p.check_complete(n), Err(PlacementError::Incomplete { .. })));
    }
}

/// Losing the host would lose both.
#[test]
fn two_shards_at_one_host_are_refused_unless_allowed() {
    let a = entry(0, "http://a.example", 1);
    for (other, by) in [
        (entry(4, "http://b.example", 1), "key 0101"),
        (entry(4, "http://A.example/", 2), "node http://a.example"),
    ] {
        let text = file(&[a.clone(), other.clone(), entry(2, "http://c.example", 3)]);
        match Placement::parse(&text) {
            Err(PlacementError::TogetherAtHost { shards, by: found, allowed: 1 }) => {
                assert_eq!(shards, [0, 4]);
                assert!(found.starts_with(by), "{found}");
            }
            found => panic!("{found:?}"),
        }
        Placement::parse(&text.replace("version = 1", "version = 1\nshards_per_host = 2")).unwrap();
    }
}

#[test]
fn whatever_else_is_wrong_is_named() {
    let good = file(&[entry(0, "http://a.example", 1)]);
    Placement::parse(&good).unwrap();
    let refused = |text: &str| Placement::parse(text).unwrap_err();
    assert_eq!(refused("version = 1"), PlacementError::Empty);
    assert_eq!(refused(&good.replace("version = 1", "version = 2")), PlacementError::Version(2));
    assert_eq!(refused(&good.replace("shard = 0", "shard = 255")), PlacementError::Shard(255));
    assert_eq!(refused(&format!("{good}{}", entry(0, "http://b.example", 2))), PlacementError::Twice(0));
    assert_eq!(refused(&good.replace("0101", "01F1")), PlacementError::Host(0));
    assert_eq!(refused(&good.replace("0101\"", "01\"")), PlacementError::Host(0));
    for bad in
        ["ftp://a.example", "http://", "http://a b", "http://a\\nb", &format!("http://{}", "x".repeat(2000))]
    {
        assert_eq!(refused(&good.replace("http://a.example", bad)), PlacementError::Node(0), "{bad}");
    }
    for bad in [0, 256, 70_000] {
        let text = good.replace("version = 1", &format!("version = 1\nshards_per_host = {bad}"));
        assert_eq!(refused(&text), PlacementError::PerHost);
    }
    for bad in [
        "",
        "version",
        &good.replace("node", "url"),
        &format!("extra = 1\n{good}"),
        &good.replace("shard = 0", "shard = -1"),
    ] {
        assert!(matches!(refused(bad), PlacementError::Toml(_)), "{bad}");
    }
    assert_eq!(refused(&"#".repeat(PLACEMENT_BYTES_MAX + 1)), PlacementError::TooLong);
    let roots = |bytes: usize| format!("{good}roots = \"{}\"\n", "r".repeat(bytes));
    Placement::parse(&roots(1024)).unwrap();
    assert_eq!(refused(&roots(1025)), PlacementError::Node(0));
}
