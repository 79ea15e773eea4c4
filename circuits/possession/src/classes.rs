//! The pinned classes. A change of any number here is a new circuit: it needs new keys and a new version.

use bailiwick_protocol::ids::{CircuitDigest, ClassId, VkDigest};

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
    /// Digest of its development verifying key, under which anyone can forge: never to be trusted for anything.
    pub development_vk: VkDigest,
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
    [constraints, variables]: [u64; 2],
    circuit: &[u8; 64],
    development_vk: &[u8; 64],
) -> ClassInfo {
    let (circuit, development_vk) = (CircuitDigest(hex32(circuit)), VkDigest(hex32(development_vk)));
    ClassInfo { name, class, constraints, variables, circuit, development_vk }
}

/// Every pinned class, smallest first.
pub const PINNED: [ClassInfo; 4] = [
    info(
        "tiny",
        ClassId::TINY,
        [2261, 2309],
        b"318fd4e4cb033572dd771879e71a752ffa7b0e802e1ef16896578fddd6fb57c3",
        b"73ac971e091dc9e3d37093c87df1eaab84e98337256b46e3be60dc60c9519476",
    ),
    info(
        "small",
        ClassId::SMALL,
        [47_314, 48_532],
        b"faf23cd5178dfbdf7bec875e8693d24ddf9b6265fc4bd04a31971b6d62146b36",
        b"38c6a8f99db6c952c169284c823ece6358bd04a1ec5b1f1ab51b6e4ee3f35c49",
    ),
    info(
        "standard",
        ClassId::STANDARD,
        [224_324, 230_150],
        b"cb1ccc43432bd69e57d56b80959fdcca13175afaf3e084ec590e877aec335d0a",
        b"99aed7678daa419cbac25715424c8797cf1a31a88d710f039b7a67715f779e01",
    ),
    info(
        "large",
        ClassId::LARGE,
        [297_796, 305_542],
        b"0e554a6a2ccac00ad61b4429a4da81a941128adee67a90576f9074898ba7eebf",
        b"07964eb38ba0a55d620b3355efa5682eaf94cad44f6fe456e1198932ffefa07b",
    ),
];

/// What is pinned for a class; `None` for a class that is not pinned. Runs no circuit.
#[must_use]
pub fn class_info(class: ClassId) -> Option<&'static ClassInfo> {
    PINNED.iter().find(|info| info.class == class)
}
