//! A host between a command and a node: it passes on what is asked, and answers itself what a test says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};

use super::host::Node;
use super::program::Place;

/// What the host answers itself.
pub(super) struct Answer {
    status: &'static str,
    body: Vec<u8>,
    /// Done when half of the body is sent.
    half_way: Option<Box<dyn FnOnce() + Send>>,
}

impl Answer {
    pub(super) fn of(body: Vec<u8>) -> Self {
        Self { status: "200 OK", body, half_way: None }
    }

    /// A refusal that does not pass by itself.
    pub(super) fn refusal() -> Self {
        let body = br#"{"code":"quota","message":"no room","help":"make some"}"#.to_vec();
        Self { status: "507 Insufficient Storage", body, half_way: None }
    }

    pub(super) fn half_way(self, then: impl FnOnce() + Send + 'static) -> Self {
        Self { half_way: Some(Box::new(then)), ..self }
    }

    fn send(self, to: &mut TcpStream) -> std::io::Result<()> {
        let (status, length) = (self.status, self.body.len());
        write!(to, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
        let (first, second) = self.body.split_at(length / 2);
        to.write_all(first)?;
        if let Some(then) = self.half_way {
            then();
        }
        to.write_all(second)
    }
}

/// The address of a host that gives what `answer` says to a request's head, and else what the node does.
pub(super) fn between(
    node: &Node,
    mut answer: impl FnMut(&str) -> Option<Answer> + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = node.url.strip_prefix("http://").unwrap().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut reader) = (String::new(), BufReader::new(stream.try_clone().unwrap()));
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            if let Some(answer) = answer(&head) {
                // A client may hang up before it has everything.
                let _ = answer.send(&mut stream);
                continue;
            }
            // One request a connection, so that each is seen here.
            let head = head.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
            let mut node = TcpStream::connect(&to).unwrap();
            node.write_all(head.as_bytes()).unwrap();
            let mut asked = node.try_clone().unwrap();
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut reader, &mut asked);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut node, &mut stream);
                let _ = stream.shutdown(Shutdown::Both);
            });
        }
    });
    url
}

/// `rest` with the arguments that reach the node behind `url`.
pub(super) fn through<'a>(url: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [rest, &["--node", url, "--host", "node/host.pub"]].concat()
}

/// What a run tells, and whether all went well.
pub(super) fn told(place: &Place, arguments: &[&str]) -> (serde_json::Value, bool) {
    let out = place.try_run(&[arguments, &["--json"]].concat());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(matches!(out.status.code(), Some(0 | 2)) && !said.contains("panicked"), "{said}");
    let told = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    (told, out.status.success())
}
