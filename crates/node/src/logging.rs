//! Structured logs: one JSON object a line, on standard error. Field values are JSON strings, so control characters in
//! them are escaped (A13). What is logged are route patterns, numbers, digests of challenges, public keys and error texts, which
//! can name a file or an object; never a secret key, a body, a query or a path as sent.

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogLevel;

/// A subscriber of the node's format that writes to `to`.
pub fn subscriber<W>(level: LogLevel, to: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_writer(to).finish()
}

/// Logs of this process go to standard error from now on, panics included, by their place and not their message.
pub(crate) fn install(level: LogLevel) {
    // Somebody else's subscriber stays: an embedding program decides.
    if tracing::subscriber::set_global_default(subscriber(level, std::io::stderr)).is_ok() {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string);
            tracing::error!(place, "panic");
        }));
    }
}
