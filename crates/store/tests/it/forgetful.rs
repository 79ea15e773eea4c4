//! A file system in memory that forgets: what was not synced may be lost, kept or torn by a crash, file by file, name by
//! name, sector by sector; any call can be made to fail; space can run out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bailiwick_store::files::{Dir, DirEntry, File, FileSystem, Lock};

const SECTOR: usize = 512;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    CreateDir,
    Create,
    Open,
    Read,
    Write,
    Sync,
    SetLen,
    Rename,
    Link,
    Remove,
    List,
    OpenDir,
    SyncDir,
}

impl Op {
    /// Calls after which a crash can leave something else than before.
    pub(crate) fn changes(self) -> bool {
        !matches!(self, Self::Open | Self::Read | Self::List | Self::OpenDir)
    }
}

/// What to do with a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// Let it through.
    Go,
    /// Refuse it, changing nothing; the process lives on.
    Fail(io::ErrorKind),
    /// The same, with the system's error number, which some kinds of failure are only told apart by.
    FailOs(i32),
    /// A rename is done and told failed, as by a network file system whose answer was lost; anything else is refused.
    DoneButFail(io::ErrorKind),
    /// The process dies in the middle of it: half a write is done, nothing of anything else.
    Die,
}

/// What a crash leaves of what was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crash {
    /// Nothing.
    Lost,
    /// Everything.
    Kept,
    /// Only the process is killed: everything is there, and what was not synced can still be lost.
    Killed,
    /// Each name and each sector by chance, from this seed.
    Mixed(u64),
}

#[derive(Clone, Debug)]
enum Node {
    File { now: Vec<u8>, synced: Vec<u8> },
    Dir { now: BTreeMap<String, u64>, synced: BTreeMap<String, u64> },
}

type Judge = Box<dyn FnMut(Op, &Path) -> Fate + Send>;

struct State {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    judge: Judge,
    dead: bool,
    capacity: u64,
    moved: u64,
    locks: BTreeSet<PathBuf>,
}

/// The file system; clones share it.
#[derive(Clone)]
pub(crate) struct Forgetful(Arc<Mutex<State>>);

impl std::fmt::Debug for Forgetful {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forgetful")
    }
}

const ROOT: u64 = 0;

impl Forgetful {
    pub(crate) fn new() -> Self {
        let root = Node::Dir { now: BTreeMap::new(), synced: BTreeMap::new() };
        Self::of(BTreeMap::from([(ROOT, root)]), 1)
    }

    fn of(nodes: BTreeMap<u64, Node>, next: u64) -> Self {
        let judge: Judge = Box::new(|_, _| Fate::Go);
        let (dead, capacity, moved, locks) = (false, u64::MAX, 0, BTreeSet::new());
        Self(Arc::new(Mutex::new(State { nodes, next, judge, dead, capacity, moved, locks })))
    }

    /// Decides the fate of every call from now on.
    pub(crate) fn judge(&self, judge: impl FnMut(Op, &Path) -> Fate + Send + 'static) {
        self.0.lock().unwrap().judge = Box::new(judge);
    }

    /// Bytes all files may have together.
    pub(crate) fn set_capacity(&self, capacity: u64) {
        self.0.lock().unwrap().capacity = capacity;
    }

    /// Bytes all files have.
    pub(crate) fn used(&self) -> u64 {
        self.0.lock().unwrap().used()
    }

    /// Bytes read and written so far.
    pub(crate) fn moved(&self) -> u64 {
        self.0.lock().unwrap().moved
    }

    /// Whether a `Fate::Die` has struck.
    pub(crate) fn is_dead(&self) -> bool {
        self.0.lock().unwrap().dead
    }

    /// What is there after a crash now. The old file system refuses everything from here on.
    pub(crate) fn crash(&self, crash: Crash) -> Self {
        let mut state = self.0.lock().unwrap();
        state.dead = true;
        let mut chance = Chance(match crash {
            Crash::Mixed(seed) => seed,
            _ => 0,
        });
        let mut keep = || match crash {
            Crash::Lost => false,
            Crash::Kept | Crash::Killed => true,
            Crash::Mixed(_) => chance.next().is_multiple_of(2),
        };
        if matches!(crash, Crash::Killed) {
            return Self::of(state.nodes.clone(), state.next);
        }
        let nodes = state.nodes.iter().map(|(id, node)| (*id, survivor(node, &mut keep))).collect();
        let after = Self::of(nodes, state.next);
        after.0.lock().unwrap().drop_unreachable();
        after
    }

    /// All files, with the path below the root.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let state = self.0.lock().unwrap();
        let mut out = Vec::new();
        let mut todo = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, id)) = todo.pop() {
            match &state.nodes[&id] {
                Node::File { now, .. } => out.push((path, now.clone())),
                Node::Dir { now, .. } => todo.extend(now.iter().map(|(name, id)| (path.join(name), *id))),
            }
        }
        out.sort();
        out
    }

    /// Changes a file behind the store's back, durably.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock().unwrap();
        let id = state.find(path).unwrap();
        let Some(Node::File { now, synced }) = state.nodes.get_mut(&id) else { panic!("no file") };
        change(now);
        synced.clone_from(now);
    }

    fn step(&self, op: Op, path: &Path) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.0.lock().unwrap();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        state.judged(op, path).1.map(|()| state)
    }
}

struct Chance(u64);

impl Chance {
    /// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) >> 7
    }
}

fn survivor(node: &Node, keep: &mut impl FnMut() -> bool) -> Node {
    match node {
        Node::File { now, synced } => {
            let len = if keep() { now.len() } else { synced.len() };
            let mut data = vec![0; len];
            for at in (0..len).step_by(SECTOR) {
                let from = if keep() { now } else { synced };
                let end = (at + SECTOR).min(len);
                if let Some(there) = from.get(at..end.min(from.len())) {
                    data[at..at + there.len()].copy_from_slice(there);
                }
            }
            Node::File { now: data.clone(), synced: data }
        }
        Node::Dir { now, synced } => {
            let names: BTreeSet<_> = now.keys().chain(synced.keys()).collect();
            let entry = |name: &&String| {
                let from = if now.get(*name) == synced.get(*name) || keep() { now } else { synced };
                Some(((*name).clone(), *from.get(*name)?))
            };
            let left: BTreeMap<_, _> = names.iter().filter_map(entry).collect();
            Node::Dir { now: left.clone(), synced: left }
        }
    }
}

impl State {
    /// Whether a call is done, and what its caller is told.
    fn judged(&mut self, op: Op, path: &Path) -> (bool, io::Result<()>) {
        match (self.judge)(op, path) {
            Fate::Go => (true, Ok(())),
            Fate::DoneButFail(kind) => (true, Err(kind.into())),
            Fate::Fail(kind) => (false, Err(kind.into())),
            Fate::FailOs(number) => (false, Err(io::Error::from_raw_os_error(number))),
            Fate::Die => {
                self.dead = true;
                (false, Err(io::Error::other("the process dies")))
            }
        }
    }

    fn find(&self, path: &Path) -> io::Result<u64> {
        let mut id = ROOT;
        for part in path.strip_prefix("/").unwrap_or(path) {
            let Some(Node::Dir { now, .. }) = self.nodes.get(&id) else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            id = *now.get(&*part.to_string_lossy()).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(id)
    }

    fn dir(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, u64>> {
        let id = self.find(path)?;
        match self.nodes.get_mut(&id) {
            Some(Node::Dir { now, .. }) => Ok(now),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<u64> {
        let id = self.next;
        let name = name_of(path);
        let dir = self.dir(path.parent().unwrap())?;
        if dir.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        dir.insert(name, id);
        self.nodes.insert(id, node);
        self.next += 1;
        Ok(id)
    }

    fn file(&mut self, id: u64) -> io::Result<(&mut Vec<u8>, &mut Vec<u8>)> {
        match self.nodes.get_mut(&id) {
            Some(Node::File { now, synced }) => Ok((now, synced)),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn used(&self) -> u64 {
        // What has a name; a removed file's space is free, though its node stays for a crash that forgets the removal.
        let len = |id: &u64| match &self.nodes[id] {
            Node::File { now, .. } => now.len() as u64,
            Node::Dir { .. } => 0,
        };
        self.reachable().iter().map(len).sum()
    }

    fn reachable(&self) -> BTreeSet<u64> {
        let mut reachable = BTreeSet::new();
        let mut todo = vec![ROOT];
        while let Some(id) = todo.pop() {
            reachable.insert(id);
            if let Node::Dir { now, .. } = &self.nodes[&id] {
                todo.extend(now.values());
            }
        }
        reachable
    }

    fn drop_unreachable(&mut self) {
        let reachable = self.reachable();
        self.nodes.retain(|id, _| reachable.contains(id));
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// An open file: by node, so it outlives its name.
#[derive(Debug)]
struct Handle {
    fs: Forgetful,
    id: u64,
    path: PathBuf,
}

impl File for Handle {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.fs.step(Op::Read, &self.path)?;
        let (now, _) = state.file(self.id)?;
        let there = now.get(usize::try_from(offset).unwrap()..).unwrap_or(&[]);
        let n = there.len().min(buf.len());
        buf[..n].copy_from_slice(&there[..n]);
        state.moved += n as u64;
        Ok(n)
    }

    fn write_all_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let dead = self.fs.is_dead();
        let (mut state, done, result) = match self.fs.step(Op::Write, &self.path) {
            Ok(state) => {
                let end = offset + bytes.len() as u64;
                let mut state = state;
                let len = state.file(self.id)?.0.len() as u64;
                let left = state.capacity.saturating_sub(state.used());
                if end.saturating_sub(len) > left {
                    (state, 0, Err(io::ErrorKind::StorageFull.into()))
                } else {
                    (state, bytes.len(), Ok(()))
                }
            }
            // A torn write: it failed or the process died half-way.
            Err(e) => (self.fs.0.lock().unwrap(), if dead { 0 } else { bytes.len() / 2 }, Err(e)),
        };
        state.moved += done as u64;
        let (now, _) = state.file(self.id)?;
        let at = usize::try_from(offset).unwrap();
        if done > 0 {
            now.resize(now.len().max(at + done), 0);
            now[at..at + done].copy_from_slice(&bytes[..done]);
        }
        result
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.fs.step(Op::Sync, &self.path)?;
        let (now, synced) = state.file(self.id)?;
        synced.clone_from(now);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.fs.0.lock().unwrap();
        Ok(state.file(self.id)?.0.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.fs.step(Op::SetLen, &self.path)?;
        let (used, capacity) = (state.used(), state.capacity);
        let (now, _) = state.file(self.id)?;
        if len.saturating_sub(now.len() as u64) > capacity.saturating_sub(used) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        now.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }
}

impl Dir for Handle {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.fs.step(Op::SyncDir, &self.path)?;
        match state.nodes.get_mut(&self.id) {
            Some(Node::Dir { now, synced }) => synced.clone_from(now),
            _ => return Err(io::ErrorKind::NotADirectory.into()),
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Held(Forgetful, PathBuf);

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().locks.remove(&self.1);
    }
}

impl FileSystem for Forgetful {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step(Op::CreateDir, path)?;
        state.add(path, Node::Dir { now: BTreeMap::new(), synced: BTreeMap::new() }).map(drop)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut state = self.step(Op::Create, path)?;
        let id = state.add(path, Node::File { now: Vec::new(), synced: Vec::new() })?;
        Ok(Box::new(Handle { fs: self.clone(), id, path: path.into() }))
    }

    fn open(&self, path: &Path, _write: bool) -> io::Result<Box<dyn File>> {
        let mut state = self.step(Op::Open, path)?;
        let id = state.find(path)?;
        state.file(id)?;
        Ok(Box::new(Handle { fs: self.clone(), id, path: path.into() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        let (done, told) = state.judged(Op::Rename, to);
        if done {
            let id = state.find(from)?;
            state.dir(to.parent().unwrap())?.insert(name_of(to), id);
            state.dir(from.parent().unwrap())?.remove(&name_of(from));
        }
        told
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step(Op::Link, to)?;
        let id = state.find(from)?;
        let names = state.dir(to.parent().unwrap())?;
        if names.contains_key(&name_of(to)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        names.insert(name_of(to), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step(Op::Remove, path)?;
        state.find(path)?;
        state.dir(path.parent().unwrap())?.remove(&name_of(path));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut state = self.step(Op::List, path)?;
        let entries = state.dir(path)?.clone();
        let entry = |(name, id)| {
            let (is_dir, len) = match &state.nodes[&id] {
                Node::File { now, .. } => (false, now.len() as u64),
                Node::Dir { .. } => (true, 0),
            };
            DirEntry { name, is_dir, len }
        };
        Ok(entries.into_iter().map(entry).collect())
    }

    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn Dir>> {
        let mut state = self.step(Op::OpenDir, path)?;
        let id = state.find(path)?;
        state.dir(path)?;
        Ok(Box::new(Handle { fs: self.clone(), id, path: path.into() }))
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.0.lock().unwrap();
        if state.dead {
            return Err(io::Error::other("the process is dead"));
        }
        if state.find(path).is_err() {
            state.add(path, Node::File { now: Vec::new(), synced: Vec::new() })?;
        }
        let free = state.locks.insert(path.into());
        Ok(free.then(|| Box::new(Held(self.clone(), path.into())) as Box<dyn Lock>))
    }
}
