//! Prints the pinned values of every class as `pinned/v1/classes.json` holds them. Takes a minute: it makes the
//! development key of every class. After a change of the circuit, set the digests it names in `src/classes.rs` first.

use bailiwick_possession_circuit::ProverKey;
use bailiwick_possession_circuit::circuit::matrices_by_clause;
use bailiwick_protocol::ids::ClassId;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rows = Vec::new();
    for (name, class) in ClassId::PINNED {
        let (matrices, _) = matrices_by_clause(class)?;
        let (constraints, variables, circuit) =
            (matrices.constraints(), matrices.variables(), matrices.digest());
        drop(matrices);
        let key = ProverKey::development(class, &mut |_| ())?;
        rows.push(serde_json::json!({
            "name": name, "samples": class.samples, "depth": class.depth, "constraints": constraints,
            "variables": variables, "circuit": circuit, "development_vk": key.verifying_key().digest(),
        }));
    }
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}
