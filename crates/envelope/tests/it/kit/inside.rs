//! E27, E37: an authentic body whose inside is not name, media type, data, zeros and length; and names that must not become paths.

use super::{Broken, Case, Honest, Released, case};
use crate::it::maker::layout;
use Released::{All, DataAnd, Nothing, Prefix};

/// Sealed and signed by the owner as if it were meant.
fn inside(h: &Honest, plain: &[u8]) -> Broken {
    let mut object = h.small.envelope.clone();
    let body = crate::it::maker::sealed_body(&mut object, &h.small.file_key, plain);
    object.commitment = None;
    h.small.broken(h.small.sign(&object), body)
}

fn changed(h: &Honest, change: impl FnOnce(&mut Vec<u8>)) -> Broken {
    let mut plain = layout("data.bin", "application/x-test", &h.small.data, false);
    change(&mut plain);
    inside(h, &plain)
}

fn length(h: &Honest, change: impl FnOnce(u64) -> u64) -> Broken {
    changed(h, |p| {
        let at = p.len() - 8;
        let length = change(h.small.data.len() as u64);
        p[at..].copy_from_slice(&length.to_le_bytes());
    })
}

fn named(h: &Honest, name: &str) -> Broken {
    inside(h, &layout(name, "", &h.small.data, true))
}

/// So many zeros between data and length.
fn zeros(h: &Honest, count: usize) -> Broken {
    changed(h, |p| {
        let at = p.len() - 8;
        p.splice(at..at, vec![0; count]);
    })
}

/// E19.
const fn not_a_name(name: &'static str, comment: &'static str, make: fn(&Honest) -> Broken) -> Case {
    case(name, "name", comment, make, All)
}

const fn right(name: &'static str, comment: &'static str, make: fn(&Honest) -> Broken) -> Case {
    case(name, "success", comment, make, All)
}

pub(super) const CASES: &[Case] = &[
    case("inside-empty", "layout-length", "an empty plaintext", |h| inside(h, &[]), Nothing),
    case(
        "inside-seven-bytes",
        "layout-length",
        "no room for the length at the end",
        |h| inside(h, &[0; 7]),
        Nothing,
    ),
    case("inside-only-length", "layout-length", "nothing but a length of 0", |h| inside(h, &[0; 8]), Nothing),
    case(
        "name-too-long",
        "layout-length",
        "a name of 4,097 bytes",
        |h| {
            let mut plain = layout(&"n".repeat(4097), "", &h.small.data, false);
            plain.resize(plain.len() + 8, 0);
            inside(h, &plain)
        },
        Nothing,
    ),
    case(
        "name-length-lies",
        "layout-length",
        "a name that is longer than the plaintext",
        |h| changed(h, |p| p[1] = 2),
        Nothing,
    ),
    case(
        "name-not-utf-8",
        "layout-text",
        "a name that is not UTF-8",
        |h| changed(h, |p| p[2] = 0xff),
        Nothing,
    ),
    case(
        "name-overlong-utf-8",
        "layout-text",
        "a slash in two bytes",
        |h| changed(h, |p| p[2..4].copy_from_slice(&[0xc0, 0xaf])),
        Nothing,
    ),
    case(
        "media-type-too-long",
        "layout-length",
        "a media type of 256 bytes",
        |h| inside(h, &layout("n", &"t".repeat(256), &h.small.data, false)),
        Nothing,
    ),
    case(
        "media-type-length-lies",
        "layout-length",
        "a media type that is longer than the plaintext",
        |h| changed(h, |p| p[10] = 200),
        Nothing,
    ),
    case(
        "media-type-not-utf-8",
        "layout-text",
        "a media type that is not UTF-8",
        |h| changed(h, |p| p[12] = 0xff),
        Nothing,
    ),
    case("length-max", "layout-length", "a data length of 2^64 - 1", |h| length(h, |_| u64::MAX), Prefix),
    case("length-one-more", "layout-length", "a data length larger by one", |h| length(h, |n| n + 1), Prefix),
    case("length-one-less", "padding", "a data length smaller by one", |h| length(h, |n| n - 1), Prefix),
    case("length-0", "padding", "a data length of 0", |h| length(h, |_| 0), Prefix),
    case(
        "length-over-metadata",
        "layout-length",
        "a data length that counts the name in",
        |h| length(h, |n| n + 8),
        Prefix,
    ),
    case(
        "padding-first-byte",
        "padding",
        "the first byte after the data is not zero",
        |h| {
            changed(h, |p| {
                let at = p.len() - 8;
                p.splice(at..at, [1, 0, 0]);
            })
        },
        DataAnd(&[1]),
    ),
    case(
        "padding-last-byte",
        "padding",
        "the last byte before the length is not zero",
        |h| {
            changed(h, |p| {
                let at = p.len() - 8;
                p.splice(at..at, [0, 0, 1]);
            })
        },
        DataAnd(&[0, 0, 1]),
    ),
    case("name-empty", "name", "no name", |h| named(h, ""), All),
    case("name-parent", "name", "a name that leads to the folder above", |h| named(h, "../data.bin"), All),
    case("name-dots", "name", "the folder above itself", |h| named(h, ".."), All),
    case("name-absolute", "name", "a path from the root", |h| named(h, "/data.bin"), All),
    case("name-folder", "name", "a path into a folder", |h| named(h, "folder/data.bin"), All),
    case("name-backslash", "name", "a path of another system", |h| named(h, "..\\data.bin"), All),
    case("name-drive", "name", "a drive of another system", |h| named(h, "C:data.bin"), All),
    case("name-nul", "name", "a NUL within the name", |h| named(h, "data.bin\0.txt"), All),
    case("name-line-end", "name", "a line's end within the name", |h| named(h, "data\n.bin"), All),
    case("name-escape", "name", "a terminal's escape sequence", |h| named(h, "\u{1b}[2Jdata.bin"), All),
    case("name-bidi", "name", "a name shown backwards", |h| named(h, "data\u{202e}nib.exe"), All),
    case("name-hidden", "name", "a file hidden on some systems", |h| named(h, ".profile"), All),
    case("name-option", "name", "a name that programs take for an option", |h| named(h, "-rf"), All),
    case("name-long", "name", "a name longer than file systems allow", |h| named(h, &"n".repeat(256)), All),
    not_a_name("name-space-first", "a space at the beginning", |h| named(h, " data.bin")),
    not_a_name("name-space-last", "a space at the end", |h| named(h, "data.bin ")),
    not_a_name("name-dot-last", "a dot at the end", |h| named(h, "data.bin.")),
    not_a_name("name-asterisk", "an asterisk", |h| named(h, "da*ta.bin")),
    not_a_name("name-question-mark", "a question mark", |h| named(h, "da?ta.bin")),
    not_a_name("name-quotation-mark", "a quotation mark", |h| named(h, "da\"ta.bin")),
    not_a_name("name-less-than", "a less-than sign", |h| named(h, "da<ta.bin")),
    not_a_name("name-greater-than", "a greater-than sign", |h| named(h, "da>ta.bin")),
    not_a_name("name-bar", "a vertical bar", |h| named(h, "da|ta.bin")),
    not_a_name("name-backslash-within", "a backslash in the middle", |h| named(h, "da\\ta.bin")),
    not_a_name("name-invisible", "a zero-width space, U+200B", |h| named(h, "da\u{200b}ta.bin")),
    not_a_name("name-soft-hyphen", "a soft hyphen, U+00AD", |h| named(h, "da\u{ad}ta.bin")),
    not_a_name("name-isolate", "a first strong isolate, U+2068", |h| named(h, "da\u{2068}ta.bin")),
    not_a_name("name-control-of-latin-1", "a control character above ASCII, U+0085", |h| {
        named(h, "da\u{85}ta.bin")
    }),
    not_a_name("name-filler", "a Hangul filler, U+3164", |h| named(h, "da\u{3164}ta.bin")),
    not_a_name("name-tag-character", "a tag character, U+E0041", |h| named(h, "da\u{e0041}ta.bin")),
    not_a_name("name-longest", "a name of 4,096 bytes: it opens, and is no file's name", |h| {
        named(h, &"n".repeat(4096))
    }),
    right("honest-name-255", "a name of 255 bytes, the longest a file can have", |h| {
        named(h, &"n".repeat(255))
    }),
    right("honest-name-variation-selector", "a name with a variation selector, which scripts need", |h| {
        named(h, "\u{2764}\u{fe0f} data.bin")
    }),
    right("honest-name-spaces-within", "spaces and dots within the name", |h| named(h, "data of. today.bin")),
    right("honest-media-type-255", "a media type of 255 bytes", |h| {
        inside(h, &layout("data.bin", &"t".repeat(255), &h.small.data, true))
    }),
    right("honest-one-zero", "one zero after the data: neither none nor Padm\u{e9}'s number", |h| {
        zeros(h, 1)
    }),
    right(
        "honest-many-zeros",
        "20,000 zeros after the data, more than Padm\u{e9} takes and than a chunk has",
        |h| zeros(h, 20_000),
    ),
];
