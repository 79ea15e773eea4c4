//! Sealing and opening piece by piece, for callers that push data instead of being read from: threads work behind two bounded channels.
//!
//! Memory stays bounded whatever the caller does: pieces wait for the worker up to a limit, and the worker waits for the caller to take what
//! it made. Neither can wait for the other in vain: a caller waits only while the worker has pieces, and takes what was made meanwhile.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use zeroize::Zeroizing;

use crate::{Code, Error, Object, Opened, Options, OwnerKey, Recipient, Result, Sealed, seal};

/// Pieces that wait for the worker.
const WAITING: usize = 4;

/// Writes of the worker, 1 MiB each at most, and receipts that wait for the caller.
const EVENTS: usize = 8;

enum Piece {
    Bytes(Zeroizing<Vec<u8>>),
    End,
}

/// What the worker tells.
enum Event {
    /// A piece was taken.
    Took,
    Made(Vec<u8>),
}

/// Reads what was pushed. The end is a message: a caller that goes away without it is an error, not a shorter input.
struct Source {
    pieces: Receiver<Piece>,
    events: SyncSender<Event>,
    held: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.held.len() && !self.ended {
            match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) => {
                    (self.held, self.at) = (bytes, 0);
                    self.events.send(Event::Took).map_err(|_| io::ErrorKind::BrokenPipe)?;
                }
                Ok(Piece::End) => self.ended = true,
                Err(_) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        let n = buf.len().min(self.held.len() - self.at);
        buf[..n].copy_from_slice(&self.held[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

struct Sink(SyncSender<Event>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(Event::Made(bytes.to_vec())).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The ends a caller holds, and the thread between them.
#[derive(Debug)]
struct Work<T> {
    input: Option<SyncSender<Piece>>,
    waiting: usize,
    events: Receiver<Event>,
    thread: Option<JoinHandle<Result<T>>>,
}

fn ended() -> Error {
    Error::new(Code::Argument, "the stream has ended")
}

impl<T: Send + 'static> Work<T> {
    fn start(work: impl FnOnce(Source, Sink) -> Result<T> + Send + 'static) -> Result<Self> {
        // Room for the end besides, so that sending never waits.
        let (input, pieces) = sync_channel(WAITING + 1);
        let (sink, events) = sync_channel(EVENTS);
        let source =
            Source { pieces, events: sink.clone(), held: Zeroizing::new(Vec::new()), at: 0, ended: false };
        let thread = std::thread::Builder::new().name("bailiwick".into());
        let thread = thread.spawn(move || work(source, Sink(sink)));
        let thread = thread.map_err(|e| Error::io("cannot start a thread", e))?;
        Ok(Self { input: Some(input), waiting: 0, events, thread: Some(thread) })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut made = Vec::new();
        if self.input.is_none() {
            return Err(ended());
        }
        while self.waiting >= WAITING {
            match self.events.recv() {
                Ok(event) => self.note(event, &mut made),
                Err(_) => return Err(self.stopped()),
            }
        }
        let piece = Piece::Bytes(Zeroizing::new(bytes.to_vec()));
        if !bytes.is_empty() {
            if self.input.as_ref().is_none_or(|i| i.send(piece).is_err()) {
                return Err(self.stopped());
            }
            self.waiting += 1;
        }
        while let Ok(event) = self.events.try_recv() {
            self.note(event, &mut made);
        }
        Ok(made)
    }

    fn note(&mut self, event: Event, made: &mut Vec<u8>) {
        match event {
            Event::Took => self.waiting -= 1,
            Event::Made(bytes) => made.extend_from_slice(&bytes),
        }
    }

    /// The worker has gone before the end; why is what it returns.
    fn stopped(&mut self) -> Error {
        self.input = None;
        self.result().err().unwrap_or_else(|| Error::new(Code::Internal, "the stream stopped"))
    }

    /// Ends the input; what was made next, empty when there is no more.
    fn drain(&mut self) -> Vec<u8> {
        if let Some(input) = self.input.take() {
            // A worker that has gone says why in its result.
            let _ = input.send(Piece::End);
        }
        loop {
            match self.events.recv() {
                Ok(Event::Took) => {}
                Ok(Event::Made(bytes)) if bytes.is_empty() => {}
                Ok(Event::Made(bytes)) => return bytes,
                Err(_) => return Vec::new(),
            }
        }
    }

    /// Ends the thread without an end of the input: nothing is sealed or opened.
    fn abandon(&mut self) {
        self.input = None;
        // What it gives is the error of an input without end; nobody asked for it.
        let _ = self.result();
    }

    fn result(&mut self) -> Result<T> {
        if self.input.is_some() {
            return Err(Error::new(Code::Argument, "the stream has not ended"));
        }
        let Some(thread) = self.thread.take() else { return Err(ended()) };
        // Without anybody to take it, what is still made is an error to the worker and not a wait.
        (_, self.events) = sync_channel(0);
        thread.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "the stream's thread panicked")))
    }
}

/// Seals what is pushed.
#[derive(Debug)]
pub struct SealStream(Work<Sealed>);

impl SealStream {
    /// Begins.
    ///
    /// # Errors
    /// `Io` when no thread can be started. What [`seal`] refuses is said by the next call.
    pub fn start(owner: &OwnerKey, recipients: Vec<Recipient>, options: Options) -> Result<Self> {
        let owner = owner.copy();
        Work::start(move |source, sink| seal(source, sink, &owner, &recipients, &options)).map(Self)
    }

    /// Takes data; gives ciphertext that is ready. Waits when the worker is far behind.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn push(&mut self, data: &[u8]) -> Result<Vec<u8>> {
        self.0.push(data)
    }

    /// Ends the data; gives the next of the body, empty when there is no more. Padding can be an eighth of all.
    pub fn drain(&mut self) -> Vec<u8> {
        self.0.drain()
    }

    /// Gives up: ends the thread, and every later call is an error. Also after the end, when it changes nothing.
    pub fn abandon(&mut self) {
        self.0.abandon();
    }

    /// The envelope, after the body was drained.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn finish(&mut self) -> Result<Sealed> {
        self.0.result()
    }
}

/// Opens what is pushed.
#[derive(Debug)]
pub struct OpenStream(Work<Opened>);

impl OpenStream {
    /// Begins.
    ///
    /// # Errors
    /// `Io` when no thread can be started.
    pub fn start(object: std::sync::Arc<Object>) -> Result<Self> {
        Work::start(move |source, sink| object.open(source, sink)).map(Self)
    }

    /// Takes ciphertext; gives plaintext that is authentic so far. All of it is what the owner sealed only when [`OpenStream::finish`] succeeds.
    ///
    /// # Errors
    /// As [`Object::open`].
    pub fn push(&mut self, body: &[u8]) -> Result<Vec<u8>> {
        self.0.push(body)
    }

    /// Ends the body; gives the next of the data, empty when there is no more.
    pub fn drain(&mut self) -> Vec<u8> {
        self.0.drain()
    }

    /// Gives up: ends the thread, and every later call is an error. Also after the end, when it changes nothing.
    pub fn abandon(&mut self) {
        self.0.abandon();
    }

    /// Whether all of it was what the owner sealed, after the data was drained.
    ///
    /// # Errors
    /// As [`Object::open`].
    pub fn finish(&mut self) -> Result<Opened> {
        self.0.result()
    }
}
