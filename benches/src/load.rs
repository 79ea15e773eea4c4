//! An open-loop HTTP load: requests leave on a schedule, whether or not earlier ones have been answered, and the
//! latency of each is counted from the moment it was due. A closed loop would hide exactly the stalls looked for.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// One connection that is reused.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Of the socket.
    pub fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::with_capacity(1 << 17, stream) })
    }

    /// Sends a whole request and reads the whole answer: status and bytes of the body.
    ///
    /// # Errors
    /// Of the socket, or an answer without `Content-Length`.
    pub fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, u64)> {
        self.stream.get_mut().write_all(request)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no status line")?;
        let mut length = None;
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "connection closed in the header");
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        let length: u64 = length.context("no length")?;
        let copied = std::io::copy(&mut (&mut self.stream).take(length), &mut std::io::sink())?;
        ensure!(copied == length, "short body");
        Ok((status, length))
    }
}

/// Latencies in milliseconds of `per_connection` requests on each of `connections` connections, one a second on each,
/// starts spread evenly, so that `connections` requests leave every second.
///
/// # Errors
/// The first failure of any connection.
pub fn open_loop(
    address: SocketAddr,
    connections: u32,
    per_connection: u32,
    request: impl Fn() -> Vec<u8> + Sync,
) -> anyhow::Result<Vec<f64>> {
    let begun = Instant::now() + Duration::from_millis(500);
    let request = &request;
    let results: Vec<anyhow::Result<Vec<f64>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|c| {
                std::thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn_scoped(scope, move || {
                        let mut connection = Connection::open(address)?;
                        let offset = Duration::from_secs(1) * c / connections;
                        (0..per_connection)
                            .map(|i| {
                                let due = begun + offset + Duration::from_secs(u64::from(i));
                                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                                let (status, _) = connection.exchange(&request())?;
                                ensure!(status == 206 || status == 200, "status {status}");
                                Ok(due.elapsed().as_secs_f64() * 1e3)
                            })
                            .collect()
                    })
                    .context("cannot start a load thread")
            })
            .collect();
        threads
            .into_iter()
            .map(|t| t?.join().map_err(|_| anyhow::anyhow!("a load thread panicked"))?)
            .collect()
    });
    let mut all = Vec::new();
    for r in results {
        all.extend(r?);
    }
    Ok(all)
}
