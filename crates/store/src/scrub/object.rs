//! Scrub of one object's file.

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_possession::tree::TreeBuilder;
use bailiwick_protocol::ids::UnitName;

use super::{CellCheck, Watch};
use crate::error::{DamagedPart, StoreError, is_unreadable};
use crate::files::read_exact_at;
use crate::object_file::{ObjectFile, OpenError, read_error};
use crate::pieces::{PIECE_BYTES, PieceHasher, VALUE_BYTES, values_of};
use crate::store::Inner;

const STEP_BYTES: u64 = 1 << 20;
const PIECE_LEN: usize = 1 << 16;
const _: () = assert!(PIECE_LEN as u64 == PIECE_BYTES && STEP_BYTES.is_multiple_of(PIECE_BYTES));

impl Inner {
    pub(super) fn scrub_object(
        &self,
        name: &UnitName,
        generation: u64,
        cells: CellCheck,
        watch: &mut Watch<'_>,
    ) -> Result<(), StoreError> {
        let path = self.layout.object(name, generation);
        let Some(file) = self.open_or_damage(name, generation, &path, watch)? else { return Ok(()) };
        if !self.index_agrees(&file) {
            watch.damage(Some(*name), self.layout.index(), DamagedPart::Index, 0);
        }
        self.scrub_body(&file, &path, cells, watch)?;
        watch.read(file.file_bytes() - file.size());
        Ok(())
    }

    /// A version kept aside: its damage says nothing about the current object.
    pub(super) fn scrub_version(
        &self,
        name: &UnitName,
        generation: u64,
        path: PathBuf,
        cells: CellCheck,
        watch: &mut Watch<'_>,
    ) -> Result<(), StoreError> {
        let Some(file) = self.open_or_damage(name, generation, &path, watch)? else { return Ok(()) };
        if path != self.layout.retained_file(name, generation, &file.envelope.body.blake3) {
            watch.damage(Some(*name), path.clone(), DamagedPart::Envelope, file.size());
        }
        self.scrub_body(&file, &path, cells, watch)?;
        watch.read(file.file_bytes() - file.size());
        Ok(())
    }

    /// The file, its envelope's signature checked; `None` when it is gone, or damaged where opening looks.
    fn open_or_damage(
        &self,
        name: &UnitName,
        generation: u64,
        path: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<Option<ObjectFile>, StoreError> {
        match ObjectFile::open(&self.disk, path, name, generation) {
            Ok(file) => {
                if file.signed.verify(&name.owner.0).is_err() {
                    watch.damage(Some(*name), path.into(), DamagedPart::Envelope, file.size());
                }
                Ok(Some(file))
            }
            // Deleted, replaced or released since it was listed; if not, the pass over the index names it.
            Err(OpenError::Missing) => Ok(None),
            Err(OpenError::Store(StoreError::Damaged { part, offset, .. })) => {
                watch.damage(Some(*name), path.into(), part, offset);
                Ok(None)
            }
            Err(OpenError::Store(e)) => Err(e),
        }
    }

    /// Whether the index says what the file says, unless the object changed meanwhile.
    fn index_agrees(&self, file: &ObjectFile) -> bool {
        let _guard = self.lock_name(&file.name);
        let path = self.layout.object(&file.name, file.envelope.generation);
        let highest = self.generations(&file.name).ok().and_then(|g| g.last().copied());
        if highest != Some(file.envelope.generation) || self.disk.open(&path, false).is_err() {
            return true;
        }
        self.index.get(&file.name).is_ok_and(|record| record == Some(file.record()))
    }

    fn scrub_body(
        &self,
        file: &ObjectFile,
        path: &Path,
        cells: CellCheck,
        watch: &mut Watch<'_>,
    ) -> Result<(), StoreError> {
        let mut unreadable = None;
        let mut hasher = PieceHasher::new();
        let mut builder = (cells == CellCheck::Recompute).then(TreeBuilder::new);
        let mut buffer = Vec::new();
        let mut at = 0;
        while at < file.size() {
            let step = STEP_BYTES.min(file.size() - at);
            buffer.resize(usize::try_from(step).unwrap_or(usize::MAX), 0);
            if let Some(offset) = read_step(file, path, at, &mut buffer)? {
                unreadable.get_or_insert(offset);
            }
            hasher.update(&buffer);
            if let Some(builder) = &mut builder {
                builder.update(&buffer);
            }
            at += step;
            if !watch.read(step) {
                return Ok(());
            }
        }
        let found = hasher.finish();

        let table_bytes = found.pieces.len() * VALUE_BYTES;
        let mut table = vec![0; table_bytes];
        let table_read = read_exact_at(&*file.file, file.pieces_at(), &mut table);
        match table_read
            .map_err(|e| read_error(&file.name, DamagedPart::PieceTable, file.pieces_at(), path, e))
        {
            Ok(()) => {}
            Err(StoreError::Damaged { part, offset, .. }) => {
                watch.damage(Some(file.name), path.into(), part, offset);
                table.clear();
            }
            Err(e) => return Err(e),
        }
        let table = values_of(&table);
        let body_is_good = unreadable.is_none() && found.content_id == file.envelope.body.blake3.0;
        let differing =
            (0u64..).zip(&found.pieces).zip(&table).find(|((_, a), b)| a != b).map(|((i, _), _)| i);
        if !body_is_good {
            let differing = differing.map(|piece| piece * PIECE_BYTES);
            let offset = differing.into_iter().chain(unreadable).min().unwrap_or(0);
            watch.damage(Some(file.name), path.into(), DamagedPart::Body, offset);
        } else if let Some(piece) = differing {
            let offset = file.pieces_at() + piece * VALUE_BYTES as u64;
            watch.damage(Some(file.name), path.into(), DamagedPart::PieceTable, offset);
        }
        let tree = match file.tree(path) {
            Err(StoreError::Damaged { .. }) => None,
            other => Some(other?),
        };
        // Of a damaged body the tree differs too; once is enough.
        let recomputed = builder.filter(|_| body_is_good).and_then(|b| b.finish().ok());
        if tree.is_none() || recomputed.is_some_and(|r| Some(r) != tree) {
            watch.damage(Some(file.name), path.into(), DamagedPart::CellTree, file.tree_at());
        }
        Ok(())
    }
}

/// Fills `buffer` from `at`, a multiple of a piece. What cannot be read is left zero, so that the rest is still checked; the offset
/// of the first such piece is returned.
fn read_step(file: &ObjectFile, path: &Path, at: u64, buffer: &mut [u8]) -> Result<Option<u64>, StoreError> {
    if read_exact_at(&*file.file, at, buffer).is_ok() {
        return Ok(None);
    }
    let mut first = None;
    for (offset, piece) in (at..).step_by(PIECE_LEN).zip(buffer.chunks_mut(PIECE_LEN)) {
        match read_exact_at(&*file.file, offset, piece) {
            Ok(()) => {}
            Err(e) if is_unreadable(&e) || e.kind() == io::ErrorKind::UnexpectedEof => {
                piece.fill(0);
                first.get_or_insert(offset);
            }
            Err(e) => return Err(StoreError::io("read", path, e)),
        }
    }
    Ok(first)
}
