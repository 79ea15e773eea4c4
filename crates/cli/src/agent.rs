//! Agents: programs `bailiwick-agent-NAME` on the search path that hold a recipient's key elsewhere (spec agent).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_protocol::agent::{AGENT_HELLO, AGENT_LINE_MAX, Answer, Refusal, UnwrapRequest, check_hello};
use bailiwick_protocol::secret::Secret;
use zeroize::Zeroizing;

use crate::Help;

/// An agent answers the greeting at once.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// A running agent; ended when dropped.
pub(crate) struct Agent {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<std::io::Result<Zeroizing<String>>>,
    timeout: Duration,
}

impl Agent {
    /// Starts `bailiwick-agent-NAME` and greets it. `timeout` bounds each later answer: a person may have to press a button.
    pub(crate) fn start(name: &str, timeout: Duration) -> anyhow::Result<Self> {
        let program = format!("bailiwick-agent-{name}");
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))
            .context(Help("put the agent's program into a folder of PATH"))?;
        let stdout = child.stdout.take().context("the agent has an output")?;
        let (sender, lines) = sync_channel(1);
        std::thread::spawn(move || {
            let mut reader = BufReader::with_capacity(AGENT_LINE_MAX, stdout);
            while let Some(line) = read_line(&mut reader).transpose() {
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        let mut agent = Self { name: name.to_owned(), child, stdin, lines, timeout };
        let hello = agent.ask(AGENT_HELLO, HELLO_TIMEOUT)?;
        check_hello(&hello).with_context(|| format!("agent {name}"))?;
        Ok(agent)
    }

    fn ask(&mut self, line: &str, timeout: Duration) -> anyhow::Result<Zeroizing<String>> {
        let Some(stdin) = self.stdin.as_mut() else {
            bail!("agent {} was ended when an answer of it did not come, and is not asked again", self.name)
        };
        // A request is shorter than a pipe holds, so an agent that reads nothing cannot hold us up here.
        // One that has ended takes no request; what it said before is looked at all the same.
        let _ = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        let answer = match self.lines.recv_timeout(timeout) {
            Ok(line) => line.with_context(|| format!("agent {} answers nonsense", self.name)),
            Err(RecvTimeoutError::Timeout) => {
                Err(anyhow!("agent {} gave no answer within {} s", self.name, timeout.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(anyhow!("agent {} ended without an answer", self.name))
            }
        };
        if answer.is_err() {
            // What it may still say would be taken for the answer to the next request.
            self.stdin = None;
            let _ = self.child.kill();
        }
        answer
    }

    /// The file key of one entry; none when the entry is not for the agent's key.
    pub(crate) fn unwrap(&mut self, request: &UnwrapRequest) -> anyhow::Result<Option<Secret<32>>> {
        let line = self.ask(&request.to_line(), self.timeout)?;
        match Answer::from_line(&line).with_context(|| format!("agent {}", self.name))? {
            Answer::Key(key) => Ok(Some(key)),
            Answer::Refused(Refusal::NotForKey, _) => Ok(None),
            Answer::Refused(refusal, reason) => {
                Err(anyhow!("agent {} refuses ({}): {reason}", self.name, refusal.word()))
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // A closed input asks it to end; it gets a moment, so that it can log out of its token.
        drop(self.stdin.take());
        for _ in 0..20 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One line without its line feed; none at the end.
fn read_line(reader: &mut impl std::io::BufRead) -> std::io::Result<Option<Zeroizing<String>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(AGENT_LINE_MAX));
    reader.take(AGENT_LINE_MAX as u64).read_until(b'\n', &mut line)?;
    let malformed = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => {
            let text = std::str::from_utf8(&line).map_err(|_| malformed("a line that is not text"))?;
            Ok(Some(Zeroizing::new(text.to_owned())))
        }
        Some(_) => Err(malformed("a line that is too long or cut")),
    }
}
