//! The places and processes of the demonstration: its directory, its commands, its node.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::story::Story;

/// How long a node may take to say that it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The demonstration's directory, which stays for the user to look at.
#[derive(Debug)]
pub(crate) struct World {
    /// Absolute path.
    pub(crate) root: PathBuf,
    program: PathBuf,
}

impl World {
    /// Makes the next free `run-N` under `base`.
    pub(crate) fn create(base: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(base).with_context(|| format!("cannot make {}", base.display()))?;
        let root = (1..10_000)
            .map(|n| base.join(format!("run-{n}")))
            .find(|path| fs::create_dir(path).is_ok())
            .with_context(|| format!("cannot make a run directory in {}", base.display()))?;
        for part in ["keys", "sealed", "circuit-keys", "evidence", "opened"] {
            fs::create_dir(root.join(part))?;
        }
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(Self { root: fs::canonicalize(root)?, program })
    }

    /// A path inside.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Runs this very program with `arguments`, as a user would, and waits for it.
    pub(crate) fn try_run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> anyhow::Result<Output> {
        Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output()
            .context("cannot start this program again")
    }

    /// Like `try_run`; anything but success is an error that shows what the command said.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> anyhow::Result<Vec<u8>> {
        let output = self.try_run(arguments)?;
        if !output.status.success() {
            bail!(
                "{} ended with {}: {}",
                self.shown(arguments),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(output.stdout)
    }

    /// Like `run`, for commands that print JSON; the command is noted in the story.
    pub(crate) fn tell<S: AsRef<OsStr>>(
        &self,
        story: &mut Story,
        arguments: &[S],
    ) -> anyhow::Result<serde_json::Value> {
        story.command(self.shown(arguments));
        let json: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).chain([OsStr::new("--json")]).collect();
        let out = self.run(&json)?;
        serde_json::from_slice(&out).with_context(|| format!("{} printed no JSON", self.shown(arguments)))
    }

    /// A command as a user would type it in the demonstration's directory.
    pub(crate) fn shown<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let mut text = String::from("bailiwick");
        for a in arguments {
            let a = a.as_ref().to_string_lossy();
            let a = a
                .strip_prefix(&format!("{}/", self.root.display()))
                .map_or(a.as_ref(), |rest| rest)
                .to_owned();
            text.push(' ');
            if a.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c)) && !a.is_empty() {
                text.push_str(&a);
            } else {
                text.push_str(&format!("'{}'", a.replace('\'', "'\\''")));
            }
        }
        text
    }

    /// Starts the node whose configuration is `config`: a child process of its own, with an empty environment.
    pub(crate) fn start_node(&self, config: &Path) -> anyhow::Result<Node> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("node.log"))?;
        let mut child = Command::new(&self.program)
            .args(["node", "run", "--with-parent", "--config"])
            .arg(config)
            .env_clear()
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start the node")?;
        let stdout = child.stdout.take().context("the node has no output")?;
        let mut node = Node { child, url: String::new() };
        let (send, receive) = std::sync::mpsc::channel();
        let read = move || {
            let mut line = String::new();
            // An unreadable line is an empty one: the wait below then reports that the node did not start.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = send.send(line);
        };
        std::thread::Builder::new().spawn(read).context("cannot start a thread")?;
        let line = receive.recv_timeout(READY_WITHIN).unwrap_or_default();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_default();
        ensure!(!url.is_empty(), "the node did not start; its log is {}", self.path("node.log").display());
        url.clone_into(&mut node.url);
        Ok(node)
    }
}

/// A running node. Killed when dropped, so that a failed demonstration leaves no process behind.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
}

impl Node {
    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the node to stop, as a service manager would, and waits for it.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("no process id")?, rustix::process::Signal::TERM)?;
        let begun = Instant::now();
        while begun.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the node ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the node did not stop within {} s", READY_WITHIN.as_secs())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
