//! Running the binary in a directory of its own.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

/// A directory in which commands run.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.args(arguments).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs to the end, whatever the outcome.
    pub(crate) fn try_run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs and must succeed.
    pub(crate) fn run<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> Vec<u8> {
        let out = self.try_run(arguments);
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }

    /// Runs and must fail with exit code 2, saying `why`; the message must name no path of the machine's toolchain and no panic.
    pub(crate) fn refuse<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S], why: &str) -> String {
        let out = self.try_run(arguments);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(why), "{arguments:?} must say {why:?}, said: {text}");
        assert!(!text.contains("panicked"), "{text}");
        text
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // The program may refuse before it has read everything.
            let _ = stdin.write_all(&input);
        });
        let out = child.wait_with_output().unwrap();
        writer.join().unwrap();
        out
    }

    /// Names in the directory, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// Keys of an owner, a recipient and another recipient.
    pub(crate) fn with_keys() -> Self {
        let place = Self::new();
        for (kind, name) in [("owner", "owner"), ("recipient", "to"), ("recipient", "other")] {
            place.run(&["key", "new", kind, "-o", name]);
        }
        place
    }
}

/// A folder in which another run signs, until dropped.
pub(crate) struct Held(std::fs::File);

impl Held {
    pub(crate) fn on(folder: &Path) -> Self {
        let file = std::fs::File::open(folder).unwrap();
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        Self(file)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Said: what another test has just started holds the file until it is its own program.
        flock(&self.0, FlockOperation::Unlock).unwrap();
    }
}

/// Bytes that do not repeat.
pub(crate) fn data(n: usize) -> Vec<u8> {
    (0..n as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}
