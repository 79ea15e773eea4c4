//! Repairs one shard with the code inside it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};

use anyhow::{Context as _, anyhow};
use bailiwick_erasure::{InnerError, Order, mend};

use super::body::{BodyFile, body_bytes, facts};
use super::set::{Health, Set};

/// Copies what there is of a shard's body into `into`, an empty file, and repairs it there. Blocks repaired; or why it cannot be done, in which case what is in `into` is useless.
fn mend_into(set: &Set, shard: u16, into: &File) -> anyhow::Result<Result<u64, String>> {
    let member = set.members.get(&shard).context("a shard that was looked at")?;
    let geometry = &set.geometry;
    let Some(from) = &member.file else { return Ok(Err("the body is missing".to_owned())) };
    let size = body_bytes(geometry)?;
    let (mut from, mut out) = (from, into);
    from.rewind().context("cannot read the shard")?;
    io::copy(&mut from.take(size), &mut out).context("cannot copy the shard")?;
    out.flush()?;
    into.set_len(size).context("cannot copy the shard")?;
    let body = BodyFile { file: into, cipher: &member.cipher, geometry };
    let (mut there, mut here) = (Vec::new(), Vec::new());
    let done = mend(
        &Order::new(geometry, member.cipher.order_key()),
        |index, plain| body.read(index, plain, &mut there),
        |index, plain| body.write(index, plain, &mut here),
    );
    let blocks = match done {
        Ok(done) => done.blocks,
        Err(e @ InnerError::Limit { .. }) => return Ok(Err(e.to_string())),
        Err(e) => return Err(anyhow!(e).context(format!("cannot repair shard {shard}"))),
    };
    body.write_header().and_then(|()| body.write_end()).context("cannot write the shard")?;
    // Authentic chunks prove the key only; whoever else holds it could have written them.
    if facts(into, false)?.blake3 != member.envelope().body.blake3 {
        return Ok(Err("its chunks are authentic and its BLAKE3 is not the signed one: someone who holds its key rewrote it".to_owned()));
    }
    Ok(Ok(blocks))
}

impl Set {
    /// Repairs a damaged shard into `into`, an empty file that is the shard's body from now on; or counts it lost, by name.
    pub(crate) fn mend(&mut self, shard: u16, into: File) -> anyhow::Result<bool> {
        let done = mend_into(self, shard, &into)?;
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
