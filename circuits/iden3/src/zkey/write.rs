//! Writing what a contribution changes.

use std::io::{Seek, Write};

use super::{Contributions, ZkeyError, section};
use crate::binfile::{BinFileError, BinFileWriter};

/// Writes section 10.
pub(crate) fn write_contributions<W: Write + Seek>(
    out: &mut BinFileWriter<W>,
    contributions: &Contributions,
) -> Result<(), ZkeyError> {
    out.section(section::CONTRIBUTIONS, |to| {
        to.write_all(&contributions.to_bytes()).map_err(|e| ZkeyError::from(BinFileError::from(e)))
    })
}
