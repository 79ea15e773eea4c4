//! Prints the pinned values of every class, as `pinned/v1/classes.json` holds them.
use bailiwick_possession_circuit::circuit::matrices_by_clause;
use bailiwick_protocol::ids::ClassId;
fn main() {
    for (name, class) in ClassId::PINNED {
        let t = std::time::Instant::now();
        let (m, _) = matrices_by_clause(class).expect("synthesis");
        let synth = t.elapsed();
        println!(
            "{name} {} {} {} nnz {} {:?} {:?}",
            m.constraints(),
            m.variables(),
            m.digest(),
            m.non_zero(),
            synth,
            t.elapsed()
        );
    }
}
