//! Sealing and opening piece by piece, for callers that push data instead of being read from: one thread works behind channels.
//!
//! What is given in waits in a channel of a few pieces; what comes out is handed back by the next call, so memory stays bounded by the pieces
//! in flight.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;

use zeroize::Zeroizing;

use crate::{Code, Error, Object, Opened, Options, OwnerKey, Recipient, Result, Sealed, seal};

/// Pieces that wait for the worker.
const WAITING: usize = 4;

enum Piece {
    Bytes(Zeroizing<Vec<u8>>),
    End,
}

/// Reads what was pushed. The end is a message: a caller that goes away without it is an error, not a shorter input.
struct Source {
    pieces: Receiver<Piece>,
    held: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.held.len() && !self.ended {
            match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) => (self.held, self.at) = (bytes, 0),
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

struct Sink(Sender<Vec<u8>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The two ends a caller holds, and the thread between them.
#[derive(Debug)]
struct Work<T> {
    input: Option<SyncSender<Piece>>,
    output: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<T>>>,
}

impl<T: Send + 'static> Work<T> {
    fn start(work: impl FnOnce(Source, Sink) -> Result<T> + Send + 'static) -> Result<Self> {
        let (input, pieces) = sync_channel(WAITING);
        let (sink, output) = channel();
        let source = Source { pieces, held: Zeroizing::new(Vec::new()), at: 0, ended: false };
        let thread = std::thread::Builder::new().name("bailiwick".into());
        let thread = thread.spawn(move || work(source, Sink(sink)));
        let thread = thread.map_err(|e| Error::io("cannot start a thread", e))?;
        Ok(Self { input: Some(input), output, thread: Some(thread) })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        let Some(input) = &self.input else {
            return Err(Error::new(Code::Argument, "the stream has ended"));
        };
        if !bytes.is_empty() && input.send(Piece::Bytes(Zeroizing::new(bytes.to_vec()))).is_err() {
            // The worker has stopped before the end; why is what it returns.
            self.input = None;
            return Err(self
                .join()
                .err()
                .unwrap_or_else(|| Error::new(Code::Internal, "the stream stopped")));
        }
        let mut out = Vec::new();
        loop {
            match self.output.try_recv() {
                Ok(bytes) => out.extend_from_slice(&bytes),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(out),
            }
        }
    }

    fn finish(&mut self) -> Result<(Vec<u8>, T)> {
        if let Some(input) = self.input.take() {
            // A worker that has gone says why below.
            let _ = input.send(Piece::End);
        }
        let mut out = Vec::new();
        while let Ok(bytes) = self.output.recv() {
            out.extend_from_slice(&bytes);
        }
        Ok((out, self.join()?))
    }

    fn join(&mut self) -> Result<T> {
        let Some(thread) = self.thread.take() else {
            return Err(Error::new(Code::Argument, "the stream has ended"));
        };
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

    /// Ends the data; gives the last of the body, and the envelope.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn finish(&mut self) -> Result<(Vec<u8>, Sealed)> {
        self.0.finish()
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

    /// Ends the body; gives the last of the data.
    ///
    /// # Errors
    /// As [`Object::open`].
    pub fn finish(&mut self) -> Result<(Vec<u8>, Opened)> {
        self.0.finish()
    }
}
