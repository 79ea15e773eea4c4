//! Tier rules over the package graph.

use crate::graph::Package;
use crate::repository::Built;

/// The package whose one module may import `ark-groth16`.
pub(crate) const ARK_GROTH16_OWNER: &str = "bailiwick-groth16";

/// An edge within one tier, and why it is there: (from, to, reason). An entry no edge uses is a violation.
pub(crate) type SameTierEdge<'a> = (&'a str, &'a str, &'a str);

/// Edges that stay within their tier.
pub(crate) const SAME_TIER_EDGES: &[SameTierEdge<'static>] = &[
    ("bailiwick-groth16", "bailiwick-msm", "the prover multiplies with it"),
    ("bailiwick-iden3", "bailiwick-groth16", "keys, proofs and matrices are what it writes and reads"),
    ("bailiwick-possession-circuit", "bailiwick-gadgets", "the statement is written with the gadgets"),
    (
        "bailiwick-possession-circuit",
        "bailiwick-groth16",
        "the statement is proven and verified by the wrapper",
    ),
    ("bailiwick-scheme", "bailiwick-groth16", "scheme 1 verifies with the wrapper"),
    ("bailiwick-scheme", "bailiwick-possession-circuit", "scheme 1 is this statement"),
    ("bailiwick-cli", "bailiwick-node", "`bailiwick node run` is the node"),
    (
        "bailiwick-cli",
        "bailiwick-logserver",
        "`bailiwick log serve` and `bailiwick witness run` are the servers",
    ),
    ("bailiwick-fuzz", "bailiwick-node", "a target reads the node's configuration"),
];

/// Packages for tests: no other may be built with them.
const DEV_ONLY: &[&str] = &["bailiwick-testing"];

/// What the verifier must never be built with.
const VERIFIER_NEVER: &[&str] = &[
    "bailiwick-node",
    "bailiwick-store",
    "bailiwick-client",
    "bailiwick-envelope",
    "tokio",
    "ureq",
    "redb",
    "taceo-groth16",
    "getrandom",
];

/// Every package declares a tier, edges go to lower tiers, one package depends on `ark-groth16`.
pub(crate) fn violations(packages: &[Package], same_tier: &[SameTierEdge<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    let mut used = vec![false; same_tier.len()];
    for p in packages {
        let Some(tier) = p.tier.filter(|t| *t <= 5) else {
            out.push(format!("{}: no tier 0..=5 in package.metadata.bailiwick", p.name));
            continue;
        };
        for dep in p.dependencies.iter().filter(|d| !d.dev) {
            let Some(to) = packages.iter().find(|q| q.name == dep.name) else { continue };
            if DEV_ONLY.contains(&to.name.as_str()) {
                out.push(format!("{} -> {}: that is for tests, a dev-dependency only", p.name, to.name));
                continue;
            }
            let below = to.tier.is_some_and(|t| t < tier);
            let listed = same_tier.iter().position(|(a, b, _)| *a == p.name && *b == to.name);
            match listed {
                Some(i) if to.tier == p.tier => used[i] = true,
                _ if below => {}
                _ => out.push(format!(
                    "{} (T{tier}) -> {} ({}): edges go to strictly lower tiers",
                    p.name,
                    to.name,
                    to.tier.map_or("no tier".to_owned(), |t| format!("T{t}"))
                )),
            }
        }
    }
    for ((from, to, _), used) in same_tier.iter().zip(used) {
        if !used {
            out.push(format!("{from} -> {to}: listed as an edge within a tier, but is none"));
        }
    }
    out.extend(ark_groth16_violations(packages));
    out
}

fn ark_groth16_violations(packages: &[Package]) -> Vec<String> {
    let owners: Vec<&str> = packages
        .iter()
        .filter(|p| p.dependencies.iter().any(|d| d.name == "ark-groth16"))
        .map(|p| p.name.as_str())
        .collect();
    if owners == [ARK_GROTH16_OWNER] {
        return Vec::new();
    }
    vec![format!("ark-groth16 is a dependency of {owners:?}, it may be one of {ARK_GROTH16_OWNER} only")]
}

/// The verifier built alone has no prover, no runtime, no network and no disk.
pub(crate) fn verifier_violations(tree: &[Built]) -> Vec<String> {
    let mut out = Vec::new();
    if tree.is_empty() {
        out.push("the verifier's tree is empty: nothing was checked".to_owned());
    }
    for built in tree {
        if VERIFIER_NEVER.contains(&built.name.as_str()) {
            out.push(format!("the verifier is built with {}", built.name));
        }
        if built.name.starts_with("bailiwick-") && built.features.iter().any(|f| f == "prove") {
            out.push(format!("the verifier is built with {} feature prove", built.name));
        }
    }
    out.sort();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::{ARK_GROTH16_OWNER, verifier_violations, violations};
    use crate::graph::{Dependency, Package};
    use crate::repository::Built;

    fn package(name: &str, tier: impl Into<Option<u64>>, deps: &[&str]) -> Package {
        let dependencies = deps
            .iter()
            .map(|d| Dependency {
                name: d.trim_start_matches("dev:").to_owned(),
                dev: d.starts_with("dev:"),
                optional: false,
            })
            .collect();
        Package {
            name: name.to_owned(),
            dir: name.into(),
            tier: tier.into(),
            description: String::new(),
            dependencies,
        }
    }

    /// A graph that breaks no rule.
    fn honest() -> Vec<Package> {
        vec![
            package("base", 0, &[]),
            package("middle", 1, &["base"]),
            package(ARK_GROTH16_OWNER, 2, &["base", "ark-groth16"]),
            package("circuit", 2, &[ARK_GROTH16_OWNER, "middle"]),
            package("top", 5, &["circuit", "base"]),
        ]
    }

    const EDGE: &[(&str, &str, &str)] = &[("circuit", ARK_GROTH16_OWNER, "a reason")];

    #[test]
    fn an_honest_graph_passes() {
        assert_eq!(violations(&honest(), EDGE), Vec::<String>::new());
    }

    #[test]
    fn an_edge_upwards_is_refused_and_as_a_dev_dependency_is_not() {
        let mut upwards = honest();
        upwards[0] = package("base", 0, &["middle"]);
        assert!(violations(&upwards, EDGE)[0].contains("base (T0) -> middle (T1)"));
        upwards[0] = package("base", 0, &["dev:middle"]);
        assert!(violations(&upwards, EDGE).is_empty());
    }

    #[test]
    fn a_package_for_tests_is_a_dev_dependency_only() {
        let mut shipped = honest();
        shipped.push(package("bailiwick-testing", 5, &["top"]));
        shipped[4] = package("top", 5, &["circuit", "base"]);
        let edges = [EDGE[0], ("bailiwick-testing", "top", "it simulates it")];
        assert_eq!(violations(&shipped, &edges), Vec::<String>::new());
        // No tier above and no entry would allow it.
        shipped.push(package("another", 5, &["bailiwick-testing"]));
        let edges = [edges[0], edges[1], ("another", "bailiwick-testing", "no reason can be good")];
        assert!(violations(&shipped, &edges).iter().any(|v| v.contains("a dev-dependency only")));
        shipped[6] = package("another", 5, &["dev:bailiwick-testing"]);
        assert_eq!(violations(&shipped, &edges[..2]), Vec::<String>::new());
    }

    #[test]
    fn an_edge_within_a_tier_needs_its_entry() {
        assert!(violations(&honest(), &[])[0].contains("circuit (T2)"));
    }

    #[test]
    fn an_entry_is_no_licence_for_an_edge_upwards() {
        let mut upwards = honest();
        upwards[0] = package("base", 0, &["top"]);
        let entries = [EDGE[0], ("base", "top", "no reason can be good")];
        assert!(violations(&upwards, &entries).iter().any(|v| v.contains("base (T0) -> top (T5)")));
    }

    #[test]
    fn an_entry_without_an_edge_is_refused() {
        let entries = [EDGE[0], ("middle", "base", "lower tier anyway")];
        assert!(violations(&honest(), &entries)[0].contains("but is none"));
    }

    #[test]
    fn a_package_without_a_tier_is_refused_and_so_is_an_edge_to_it() {
        let mut nameless = honest();
        nameless[0] = package("base", None, &[]);
        let found = violations(&nameless, EDGE);
        assert!(found.iter().any(|v| v.contains("base: no tier")));
        assert!(found.iter().any(|v| v.contains("middle (T1) -> base (no tier)")));
        nameless[0] = package("base", 9, &[]);
        assert!(violations(&nameless, EDGE).iter().any(|v| v.contains("base: no tier")));
    }

    #[test]
    fn a_second_owner_of_ark_groth16_is_refused_even_for_tests() {
        let mut two = honest();
        two[4] = package("top", 5, &["dev:ark-groth16"]);
        assert!(violations(&two, EDGE)[0].contains("ark-groth16"));
        let mut none = honest();
        none[2] = package(ARK_GROTH16_OWNER, 2, &["base"]);
        assert!(violations(&none, EDGE)[0].contains("ark-groth16"));
    }

    fn built(name: &str, features: &[&str]) -> Built {
        Built { name: name.to_owned(), features: features.iter().map(|f| (*f).to_owned()).collect() }
    }

    #[test]
    fn the_verifier_alone_passes_and_with_a_runtime_or_a_prover_does_not() {
        let alone = vec![built("bailiwick-verifier", &[]), built("bailiwick-groth16", &["default"])];
        assert!(verifier_violations(&alone).is_empty());
        for extra in [
            built("tokio", &[]),
            built("bailiwick-store", &[]),
            built("taceo-groth16", &[]),
            built("bailiwick-groth16", &["prove"]),
        ] {
            let mut tree = alone.clone();
            tree.push(extra.clone());
            assert_eq!(verifier_violations(&tree).len(), 1, "{extra:?}");
        }
        assert_eq!(verifier_violations(&[]).len(), 1, "an empty tree proves nothing");
    }
}
