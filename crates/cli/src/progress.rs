//! Progress bars: on a terminal only, on standard error, so pipes and logs stay clean.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over bytes; a spinner with a byte count when the total is unknown. Hidden unless stderr is a terminal.
pub(crate) fn bar(total_bytes: Option<u64>, label: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::stderr());
    let template = if total_bytes.is_some() {
        "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{msg} {spinner} {bytes} {bytes_per_sec}"
    };
    bar.set_style(style(template));
    bar.set_message(label.to_owned());
    bar
}

/// A bar over `total` steps of long work.
pub(crate) fn steps(total: u64, label: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    bar.set_style(style("{msg} [{bar:30}] {percent}% {elapsed}"));
    bar.set_message(label.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are valid")
}

/// A bar over a number of things.
pub(crate) fn count(total: u64, label: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    bar.set_style(style("{msg} [{bar:30}] {pos}/{len} {per_sec} {eta}"));
    bar.set_message(label.to_owned());
    bar
}
