//! The form of a kit file: `name: value` lines, an empty line, the envelope's bytes, the body's bytes.

use bailiwick_protocol::envelope::Kem;

use crate::it::maker::Reader;

/// How a reader gets at the file key.
#[derive(Clone)]
pub(super) enum Way {
    Key(Reader),
    Passphrase(String),
}

pub(super) struct File {
    pub(super) expect: String,
    pub(super) comment: String,
    pub(super) owner: [u8; 32],
    pub(super) way: Way,
    /// Bytes of data that come out before the error, and their BLAKE3.
    pub(super) released: (usize, [u8; 32]),
    pub(super) envelope: Vec<u8>,
    pub(super) body: Vec<u8>,
}

const KEMS: [(Kem, &str); 3] = [(Kem::X25519, "x25519"), (Kem::XWing, "x-wing"), (Kem::P256, "p256")];

impl File {
    pub(super) fn encoded(&self) -> Vec<u8> {
        let way = match &self.way {
            Way::Key(reader) => {
                let kem = KEMS.iter().find(|k| k.0 == reader.kem).unwrap().1;
                format!("key: {kem} {}", hex::encode(reader.secret))
            }
            Way::Passphrase(text) => format!("passphrase: {text}"),
        };
        let text = format!(
            "expect: {}\ncomment: {}\nowner: {}\n{way}\nreleased: {} {}\nenvelope: {}\n\n",
            self.expect,
            self.comment,
            hex::encode(self.owner),
            self.released.0,
            hex::encode(self.released.1),
            self.envelope.len(),
        );
        [text.as_bytes(), &self.envelope, &self.body].concat()
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|w| w == b"\n\n").unwrap();
        let text = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = text.lines().map(|line| line.split_once(": ").unwrap());
        let (expect, comment) = (next(&mut lines, "expect").into(), next(&mut lines, "comment").into());
        let owner = hex::decode(next(&mut lines, "owner")).unwrap().try_into().unwrap();
        let way = match lines.next().unwrap() {
            ("passphrase", text) => Way::Passphrase(text.into()),
            (name, key) => {
                assert_eq!(name, "key");
                let (kem, secret) = key.split_once(' ').unwrap();
                let kem = KEMS.iter().find(|k| k.1 == kem).unwrap().0;
                Way::Key(Reader { kem, secret: hex::decode(secret).unwrap().try_into().unwrap() })
            }
        };
        let (released, hash) = next(&mut lines, "released").split_once(' ').unwrap();
        let released = (released.parse().unwrap(), hex::decode(hash).unwrap().try_into().unwrap());
        let length = next(&mut lines, "envelope").parse().unwrap();
        assert!(lines.next().is_none(), "a line too many");
        let (envelope, body) = bytes[end + 2..].split_at(length);
        Self { expect, comment, owner, way, released, envelope: envelope.to_vec(), body: body.to_vec() }
    }
}

fn next<'a>(lines: &mut impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> &'a str {
    let (found, value) = lines.next().unwrap();
    assert_eq!(found, name);
    value
}
