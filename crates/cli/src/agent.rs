//! Agents: programs `bailiwick-agent-NAME` on the search path that hold a recipient's key elsewhere (spec agent).

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bailiwick_protocol::agent::{AGENT_HELLO, AGENT_LINE_MAX, Answer, Refusal, UnwrapRequest, check_hello};
use bailiwick_protocol::secret::Secret;
use rustix::fs::{OFlags, fcntl_setfl};
use zeroize::{Zeroize as _, Zeroizing};

use crate::Help;

/// An agent answers the greeting at once.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// A line, none at the end of the output.
type Line = std::io::Result<Option<Zeroizing<String>>>;

/// A running agent; ended when dropped.
pub(crate) struct Agent {
    name: String,
    child: Child,
    /// None once the conversation has ended.
    requests: Option<Sender<String>>,
    answers: Receiver<Line>,
    timeout: Duration,
}

impl Agent {
    /// Starts `bailiwick-agent-NAME` and greets it. `timeout` bounds each later answer: a person may have to press a button.
    pub(crate) fn start(name: &str, timeout: Duration) -> anyhow::Result<Self> {
        let program = format!("bailiwick-agent-{name}");
        let child = pipes(&mut Command::new(&program))
            .spawn()
            .with_context(|| format!("cannot start {program}"))
            .context(Help("put the agent's program into a folder of PATH"))?;
        Self::greet(name, child, timeout)
    }

    fn greet(name: &str, mut child: Child, timeout: Duration) -> anyhow::Result<Self> {
        let stdin = child.stdin.take().context("the agent has an input")?;
        let stdout = child.stdout.take().context("the agent has an output")?;
        let (requests, asked) = channel::<String>();
        let (answered, answers) = channel();
        // Before the thread: where none starts the agent is ended, too.
        let mut agent = Self { name: name.to_owned(), child, requests: Some(requests), answers, timeout };
        // Writing can take for ever, too, when an agent does not read; so both are another thread's, and waited for only so long.
        let converse = move || {
            let mut pipes =
                Pipes { stdin, stdout, buffer: Zeroizing::new(vec![0; AGENT_LINE_MAX]), filled: 0 };
            for (turn, request) in asked.iter().enumerate() {
                // Who greets first only spoke out of turn.
                let answer = if turn == 0 { Ok(true) } else { pipes.silent() };
                let answer = answer.and_then(|open| if open { pipes.ask(&request) } else { Ok(None) });
                if answered.send(answer).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().spawn(converse).context("cannot start a thread")?;
        let hello = agent.ask(AGENT_HELLO.to_owned(), HELLO_TIMEOUT)?;
        check_hello(&hello).with_context(|| format!("agent {name}"))?;
        Ok(agent)
    }

    fn ask(&mut self, request: String, timeout: Duration) -> anyhow::Result<Zeroizing<String>> {
        let Some(requests) = &self.requests else {
            bail!(
                "agent {} was ended when an answer of it did not come or was none, and is not asked again",
                self.name
            )
        };
        let sent = requests.send(request);
        let answer = sent.map_err(|_| RecvTimeoutError::Disconnected);
        let answer = match answer.and_then(|()| self.answers.recv_timeout(timeout)) {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => {
                Err(anyhow!("agent {} ended without an answer", self.name))
            }
            Ok(Err(e)) => Err(e).with_context(|| format!("agent {} answers nonsense", self.name)),
            Err(RecvTimeoutError::Timeout) => {
                Err(anyhow!("agent {} gave no answer within {} s", self.name, timeout.as_secs()))
            }
        };
        if answer.is_err() {
            self.end();
        }
        answer
    }

    /// What it may still say would be taken for the answer to the next request.
    fn end(&mut self) {
        self.requests = None;
        let _ = self.child.kill();
    }

    /// The file key of one entry; none when the entry is not for the agent's key.
    pub(crate) fn unwrap(&mut self, request: &UnwrapRequest) -> anyhow::Result<Option<Secret<32>>> {
        let line = self.ask(request.to_line(), self.timeout)?;
        let answer = Answer::from_line(&line).with_context(|| format!("agent {}", self.name));
        if answer.is_err() {
            self.end();
        }
        match answer? {
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
        drop(self.requests.take());
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

fn pipes(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped())
}

/// The conversation's ends, and what was read of the line that is coming: it may be a key.
struct Pipes {
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// `AGENT_LINE_MAX` bytes, of which `filled` are read.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Pipes {
    /// An error when something was said before it was asked; false when nothing can come any more.
    fn silent(&mut self) -> std::io::Result<bool> {
        fcntl_setfl(&self.stdout, OFlags::NONBLOCK)?;
        let read = self.stdout.read(&mut self.buffer);
        fcntl_setfl(&self.stdout, OFlags::empty())?;
        match read {
            Ok(0) => Ok(false),
            Ok(_) => Err(malformed("a line before it was asked")),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(e) => Err(e),
        }
    }

    fn ask(&mut self, request: &str) -> Line {
        // One that has ended takes no request; what it said before is looked at all the same.
        let _ = self.stdin.write_all(format!("{request}\n").as_bytes()).and_then(|()| self.stdin.flush());
        let line = self.line();
        self.buffer.as_mut_slice().zeroize();
        self.filled = 0;
        line
    }

    /// One line without its line feed, and nothing after it.
    fn line(&mut self) -> Line {
        loop {
            let read = match self.stdout.read(&mut self.buffer[self.filled..]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            };
            let new = self.filled..self.filled + read;
            self.filled = new.end;
            let Some(at) = self.buffer[new.clone()].iter().position(|b| *b == b'\n') else {
                match (read, self.filled) {
                    (0, 0) => return Ok(None),
                    (0, _) | (_, AGENT_LINE_MAX) => return Err(malformed("a line that is too long or cut")),
                    _ => continue,
                }
            };
            let end = new.start + at;
            if end + 1 != self.filled {
                return Err(malformed("more than one line"));
            }
            let text =
                std::str::from_utf8(&self.buffer[..end]).map_err(|_| malformed("a line that is not text"))?;
            return Ok(Some(Zeroizing::new(text.to_owned())));
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bailiwick_protocol::envelope::{Kem, Role};

    use super::*;

    fn agent(script: &str) -> anyhow::Result<Agent> {
        patient(script, Duration::from_secs(2))
    }

    /// On a busy machine an answer takes its time.
    const LONG: Duration = Duration::from_secs(20);

    fn patient(script: &str, timeout: Duration) -> anyhow::Result<Agent> {
        let child = pipes(Command::new("/bin/sh").args(["-c", script])).spawn().unwrap();
        Agent::greet("test", child, timeout)
    }

    #[track_caller]
    fn refused(answer: anyhow::Result<Option<Secret<32>>>) -> String {
        format!("{:#}", answer.err().unwrap())
    }

    /// About 5,000 bytes.
    fn request() -> UnwrapRequest {
        let kem = Kem::XWing;
        UnwrapRequest {
            kem,
            public: vec![0; kem.public_bytes()],
            enc: vec![0; kem.enc_bytes()],
            ciphertext: vec![0; Role::FileKey.ciphertext_bytes()],
            info: vec![0; 100],
        }
    }

    const HELLO: &str = "read x; echo 'bailiwick-agent 1';";

    /// AG7: an agent that answers and never reads is waited for only so long once the pipe is full.
    #[test]
    fn ag7_an_agent_that_does_not_read_cannot_hold_us_up() {
        let mut agent =
            agent(&format!("{HELLO} while sleep 0.05; do echo 'error not-for-key no'; done")).unwrap();
        let start = Instant::now();
        let error = std::iter::repeat_with(|| agent.unwrap(&request())).find_map(Result::err).unwrap();
        // Or, on a busy machine, two answers at once.
        let error = format!("{error:#}");
        assert!(error.contains("no answer within 2 s") || error.contains("nonsense"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    /// What an agent answers may be a key: nothing of it stays in the buffer it was read into, of a refused answer neither, and what is handed on wipes itself.
    #[test]
    fn what_was_read_from_an_agent_is_wiped() {
        const fn wipes_itself(_: &Zeroizing<String>) {}
        for (script, answer) in [
            ("read x; echo 'key 00ff'; read x", Some("key 00ff")),
            // Refused: more than was asked for. Both were read.
            ("read x; printf 'key 00ff\nkey 00ff\n'; read x", None),
        ] {
            let mut child = pipes(Command::new("/bin/sh").args(["-c", script])).spawn().unwrap();
            let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            let mut pipes =
                Pipes { stdin, stdout, buffer: Zeroizing::new(vec![0; AGENT_LINE_MAX]), filled: 0 };
            let at = pipes.buffer.as_ptr();
            match (pipes.ask("unwrap"), answer) {
                (Ok(Some(line)), Some(said)) => {
                    wipes_itself(&line);
                    assert_eq!(line.as_str(), said);
                }
                (Err(e), None) => assert!(e.to_string().contains("more than one line"), "{e}"),
                (other, _) => panic!("{other:?}"),
            }
            // The very memory that was read into: it was not moved, so no other copy was left by growing.
            assert_eq!((pipes.buffer.as_ptr(), pipes.buffer.len()), (at, AGENT_LINE_MAX));
            assert!(pipes.buffer.iter().all(|b| *b == 0), "{script}");
            drop(pipes);
            child.wait().unwrap();
        }
    }

    const REST: &str = "read x; echo 'error not-for-key no';";

    /// AG4: who greets otherwise speaks another version, or is no agent.
    #[test]
    fn ag4_another_greeting_is_refused() {
        let greeting = |hello: &str| patient(&format!("read x; echo '{hello}'; {REST} read x"), LONG);
        for hello in ["bailiwick-agent 2", "bailiwick-agent", "error not-for-key no"] {
            let error = format!("{:#}", greeting(hello).err().unwrap());
            assert!(error.contains("does not speak version 1"), "{hello}: {error}");
        }
        assert!(greeting(AGENT_HELLO).unwrap().unwrap(&request()).unwrap().is_none());
    }

    /// AG3: a line that its end cut is not one, whatever it would have said.
    #[test]
    fn ag3_a_line_that_is_cut_is_nonsense() {
        let answer = |line: &str| {
            patient(&format!("{HELLO} read x; printf '{line}'"), LONG).unwrap().unwrap(&request())
        };
        let error = refused(answer("error not-for-key no"));
        assert!(error.contains("too long or cut"), "{error}");
        assert!(answer("error not-for-key no\\n").unwrap().is_none());
    }

    /// AG3: a line has a bound. One just within is read, and is no answer.
    #[test]
    fn ag3_a_line_that_is_too_long_is_nonsense() {
        let answer = |bytes: usize| {
            let line = format!("head -c {} /dev/zero | tr '\\0' a; echo", bytes - 1);
            refused(patient(&format!("{HELLO} read x; {line}; read x"), LONG).unwrap().unwrap(&request()))
        };
        let error = answer(AGENT_LINE_MAX + 1);
        assert!(error.contains("too long or cut"), "{error}");
        let error = answer(AGENT_LINE_MAX);
        assert!(error.contains("not of the agent protocol"), "{error}");
    }

    /// AG3: an answer that comes too late would be taken for the one to the next request.
    #[test]
    fn ag3_no_answer_ends_the_conversation() {
        let mut late =
            patient(&format!("{HELLO} read x; {REST} read x"), Duration::from_millis(300)).unwrap();
        assert!(refused(late.unwrap(&request())).contains("no answer within"));
        assert!(refused(late.unwrap(&request())).contains("is not asked again"));
    }

    /// AG3: who answers nonsense is not asked again.
    #[test]
    fn ag3_nonsense_ends_the_conversation() {
        let mut agent = patient(&format!("{HELLO} read x; printf 'a\\nb\\n'; {REST} read x"), LONG).unwrap();
        assert!(refused(agent.unwrap(&request())).contains("nonsense"));
        assert!(refused(agent.unwrap(&request())).contains("is not asked again"));
    }

    /// AG3: a line of another form ends the conversation, though the agent goes on.
    #[test]
    fn ag3_a_malformed_answer_ends_the_conversation() {
        let mut honest = agent(&format!("{HELLO} {REST} {REST} read x")).unwrap();
        assert!(honest.unwrap(&request()).unwrap().is_none() && honest.unwrap(&request()).unwrap().is_none());
        let mut agent = agent(&format!("{HELLO} read x; echo key 00; {REST} read x")).unwrap();
        let errors = [0; 2].map(|_| format!("{:#}", agent.unwrap(&request()).err().unwrap()));
        assert!(errors[0].contains("not of the agent protocol"), "{errors:?}");
        assert!(errors[1].contains("is not asked again"), "{errors:?}");
    }

    /// AG3: what is said before a request is not the answer to it.
    #[test]
    fn ag3_a_line_before_the_request_is_nonsense() {
        let early = "read x; printf 'bailiwick-agent 1\nerror not-for-key no\n'; read x";
        assert!(format!("{:#}", agent(early).err().unwrap()).contains("nonsense"));
        let mut agent = agent(&format!("{HELLO} sleep 0.3; echo 'error not-for-key no'; read x")).unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        assert!(format!("{:#}", agent.unwrap(&request()).err().unwrap()).contains("nonsense"));
    }
}
