//! How records stand in the file: a length with its check, the record, a checksum over it and the one before.

/// Bytes of a checksum: BLAKE3.
pub(super) const CHECKSUM_BYTES: usize = 32;
/// LE32 length and its check.
pub(super) const HEADER_BYTES: usize = 8;

/// What stands at a place of the journal.
pub(super) enum Frame<'a> {
    /// A record, its checksum not compared yet.
    Whole(&'a [u8]),
    /// The beginning of one, or the zeros of a file that grew before its bytes came.
    Torn,
    /// Neither.
    Damaged,
}

/// What stands at the beginning of `rest`, after a record of this checksum.
pub(super) fn frame<'a>(rest: &'a [u8], before: &[u8; CHECKSUM_BYTES]) -> Frame<'a> {
    let Some(header) = rest.first_chunk::<HEADER_BYTES>() else { return Frame::Torn };
    let [a, b, c, d, ..] = *header;
    let length = u32::from_le_bytes([a, b, c, d]);
    if *header != header_of(length, before) {
        return if rest.iter().all(|b| *b == 0) { Frame::Torn } else { Frame::Damaged };
    }
    let record = usize::try_from(length).ok().and_then(|length| {
        let end = HEADER_BYTES.checked_add(length)?;
        rest.get(..end.checked_add(CHECKSUM_BYTES)?)?;
        rest.get(HEADER_BYTES..end)
    });
    record.map_or(Frame::Torn, Frame::Whole)
}

/// Length of a record and its check.
pub(super) fn header_of(length: u32, before: &[u8; CHECKSUM_BYTES]) -> [u8; HEADER_BYTES] {
    let length = length.to_le_bytes();
    let check = chained(before, &length);
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&length);
    header[4..].copy_from_slice(&check[..4]);
    header
}

/// Checksum of a record after another.
pub(super) fn chained(before: &[u8; CHECKSUM_BYTES], record: &[u8]) -> [u8; CHECKSUM_BYTES] {
    blake3::Hasher::new().update(before).update(record).finalize().into()
}
