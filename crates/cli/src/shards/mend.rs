//! Repairs one shard with the code inside it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use bailiwick_erasure::{InnerError, Order, mend};

use super::body::BodyFile;
use super::member::{Health, of_this_process};
use super::set::Set;
use super::staging::{Kept, Staging};

/// Repairs a shard's body into `into`, an empty file. Blocks made again; or why it cannot be done, in which case `into` is still empty.
fn mend_into(set: &Set, shard: u16, into: &File, beside: &Path) -> anyhow::Result<Result<u64, String>> {
    let member = set.members.get(&shard).context("a shard that was looked at")?;
    let geometry = &set.geometry;
    let Some(from) = &member.file else { return Ok(Err("the body is missing".to_owned())) };
    let body = BodyFile { file: from, cipher: &member.cipher, geometry };
    let staging = Staging::new(beside, geometry)?;
    let (mut there, mut here) = (Vec::new(), Vec::new());
    let mut made_again = BTreeSet::new();
    let done = mend(
        &Order::new(geometry, member.cipher.order_key()),
        // A block the disk does not give is lost like one that is not authentic.
        |index, plain| match body.read(index, plain, &mut there) {
            Err(e) if !of_this_process(&e) => Ok(false),
            read => read,
        },
        |index, plain| {
            made_again.insert(index);
            staging.body().write(index, plain, &mut here)
        },
    );
    let blocks = match done {
        Ok(done) => done.blocks,
        Err(e @ InnerError::Limit { .. }) => return Ok(Err(e.to_string())),
        Err(e) => return Err(anyhow!(e).context(format!("cannot repair shard {shard}"))),
    };
    let kept = Kept { file: from, made_again: &made_again };
    // Authentic chunks prove the key only; whoever else holds it could have written them.
    let signed = &member.envelope().body.blake3;
    if !staging.release_with(&member.cipher, Some(&kept), signed, into)? {
        return Ok(Err("its chunks are authentic and its BLAKE3 is not the signed one: someone who holds its key rewrote it".to_owned()));
    }
    Ok(Ok(blocks))
}

impl Set {
    /// Repairs a damaged shard into `into`, an empty file that is the shard's body from now on; or counts it lost, by name. Blocks wait in
    /// a nameless file in `beside`.
    pub(crate) fn mend(&mut self, shard: u16, into: File, beside: &Path) -> anyhow::Result<bool> {
        let done = mend_into(self, shard, &into, beside)?;
        let member = self.members.get_mut(&shard).context("a shard that was looked at")?;
        match done {
            Ok(blocks) => {
                member.file = Some(into);
                member.mended = Some(blocks);
                member.health = Health::Whole;
                Ok(true)
            }
            Err(why) => {
                let before = match &member.health {
                    Health::Damaged(before) => format!("{before}; "),
                    _ => String::new(),
                };
                member.health = Health::Lost(format!("{before}{why}"));
                Ok(false)
            }
        }
    }

    /// A damaged shard that has not been repaired.
    pub(crate) fn next_damaged(&self) -> Option<u16> {
        self.members.iter().find(|(_, m)| matches!(m.health, Health::Damaged(_))).map(|(s, _)| *s)
    }
}
