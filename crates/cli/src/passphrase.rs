//! Passphrases as a command gets them: typed without echo, or the first line of a file. Never an argument, never from the environment.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use bailiwick_envelope::{PASSPHRASE_BYTES_MAX, Passphrase};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::Help;

/// Where a passphrase comes from.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PassphraseArgs {
    /// Ask for the passphrase on the terminal
    #[arg(long)]
    passphrase: bool,
    /// The passphrase is the first line of this file, which nobody else may read; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// Whether the passphrase comes from standard input.
    pub(crate) fn uses_stdin(&self) -> bool {
        self.passphrase_file.as_deref().is_some_and(|p| p.as_os_str() == "-")
    }

    /// Whether one was asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.passphrase || self.passphrase_file.is_some()
    }

    /// The passphrase, if one was asked for; `twice` when it is a new one.
    pub(crate) fn read(&self, twice: bool) -> anyhow::Result<Option<Passphrase>> {
        match &self.passphrase_file {
            Some(path) => from_file(path).map(Some),
            None if self.passphrase => from_terminal(twice).map(Some),
            None => Ok(None),
        }
    }
}

/// Reads a passphrase from a file.
pub(crate) fn from_file(path: &Path) -> anyhow::Result<Passphrase> {
    if path.as_os_str() == "-" {
        return first_line(&mut std::io::stdin().lock()).context("passphrase on standard input");
    }
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    nobody_else_reads(&file, path)?;
    first_line(&mut file).with_context(|| format!("passphrase in {}", path.display()))
}

/// Refuses a file with a secret that group or others may read.
pub(crate) fn nobody_else_reads(file: &File, path: &Path) -> anyhow::Result<()> {
    let mode = file.metadata()?.mode();
    if mode & 0o077 != 0 {
        return Err(anyhow!("{} can be read by others (mode {:03o})", path.display(), mode & 0o777))
            .context(Help("run: chmod 600 on the file"));
    }
    Ok(())
}

/// The first line, byte by byte so that nothing after it is taken from a pipe.
#[expect(clippy::unbuffered_bytes, reason = "a buffer would take what follows the line")]
fn first_line(source: &mut impl std::io::Read) -> anyhow::Result<Passphrase> {
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 1));
    for byte in source.take(PASSPHRASE_BYTES_MAX as u64 + 1).bytes() {
        match byte? {
            b'\n' => break,
            b => line.push(b),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Passphrase::new(line)?)
}

/// Asks on the terminal, which standard input need not be.
pub(crate) fn from_terminal(twice: bool) -> anyhow::Result<Passphrase> {
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .context("there is no terminal to ask on")
        .context(Help("give the passphrase with --passphrase-file"))?;
    let first = ask(&mut terminal, "passphrase: ")?;
    if twice && *first != *ask(&mut terminal, "once more: ")? {
        bail!("the two passphrases differ");
    }
    Ok(Passphrase::new(first)?)
}

fn ask(terminal: &mut File, prompt: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    terminal.write_all(prompt.as_bytes())?;
    let before = tcgetattr(&*terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    *SILENT.lock().unwrap_or_else(PoisonError::into_inner) = Some((terminal.try_clone()?, before.clone()));
    tcsetattr(&*terminal, OptionalActions::Flush, &silent)?;
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX + 1));
    let mut read = Ok(());
    let mut byte = [0];
    while line.len() <= PASSPHRASE_BYTES_MAX {
        match terminal.read(&mut byte) {
            Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
            Ok(_) => break,
            Err(e) => {
                read = Err(e);
                break;
            }
        }
    }
    restore_terminal();
    terminal.write_all(b"\n")?;
    read?;
    Ok(line)
}

/// A terminal that shows nothing of what is typed, and its modes before.
static SILENT: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Lets the terminal show again what is typed, also when a signal ends the program while it asks.
pub(crate) fn restore_terminal() {
    if let Some((terminal, before)) = SILENT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
    }
}
