//! The pinned classes. A change of any number here is a new circuit: it needs new keys and a new version.

use bailiwick_protocol::ids::{CircuitDigest, ClassId};

/// A class and what its circuit is; `pinned/v1/classes.json` says the same and a test synthesises both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ClassInfo {
    /// Its name on the command line.
    pub name: &'static str,
    /// Samples and depth.
    pub class: ClassId,
    /// Constraints of the circuit.
    pub constraints: u64,
    /// Columns of the matrices: the constant one, the public input, private variables.
    pub variables: u64,
    /// Digest of the matrices.
    pub circuit: CircuitDigest,
}

/// Lower-case hexadecimal at compile time: another character fails the build.
const fn hex32(text: &[u8; 64]) -> [u8; 32] {
    const fn digit(c: u8) -> u8 {
        match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => panic!("not a lower-case hexadecimal digit"),
        }
    }
    let mut out = [0; 32];
    let mut i = 0;
    while i < 32 {
        out[i] = digit(text[2 * i]) << 4 | digit(text[2 * i + 1]);
        i += 1;
    }
    out
}

const fn info(
    name: &'static str,
    class: ClassId,
    constraints: u64,
    variables: u64,
    circuit: [u8; 32],
) -> ClassInfo {
    ClassInfo { name, class, constraints, variables, circuit: CircuitDigest(circuit) }
}

/// Every pinned class, smallest first.
pub const PINNED: [ClassInfo; 4] = [
    info(
        "tiny",
        ClassId::TINY,
        2261,
        2309,
        hex32(b"318fd4e4cb033572dd771879e71a752ffa7b0e802e1ef16896578fddd6fb57c3"),
    ),
    info(
        "small",
        ClassId::SMALL,
        47_314,
        48_532,
        hex32(b"faf23cd5178dfbdf7bec875e8693d24ddf9b6265fc4bd04a31971b6d62146b36"),
    ),
    info(
        "standard",
        ClassId::STANDARD,
        224_324,
        230_150,
        hex32(b"cb1ccc43432bd69e57d56b80959fdcca13175afaf3e084ec590e877aec335d0a"),
    ),
    info(
        "large",
        ClassId::LARGE,
        297_796,
        305_542,
        hex32(b"0e554a6a2ccac00ad61b4429a4da81a941128adee67a90576f9074898ba7eebf"),
    ),
];

/// What is pinned for a class; `None` for a class that is not pinned. Runs no circuit.
#[must_use]
pub fn class_info(class: ClassId) -> Option<&'static ClassInfo> {
    PINNED.iter().find(|info| info.class == class)
}
