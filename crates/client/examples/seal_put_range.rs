//! Seal a file, store it at a node, read a range of it back: `cargo run --release -p bailiwick-client --example seal_put_range -- FILE`
//!
//! The steps are in `seal_put_range/steps.rs` (and in the documentation of the crate); the node runs in this process.

use std::path::PathBuf;

#[path = "seal_put_range/loopback.rs"]
mod loopback;

include!("seal_put_range/steps.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = loopback::Loopback::start()?;
    let file = match std::env::args_os().nth(1) {
        Some(file) => PathBuf::from(file),
        None => {
            let file = node.dir.path().join("plain");
            io::copy(&mut io::repeat(b'x').take(5_000_000), &mut File::create(&file)?)?;
            file
        }
    };
    let size = std::fs::metadata(&file)?.len();
    let (offset, len) = (size / 2, (size - size / 2).min(400));
    let body = node.dir.path().join("sealed");
    let (range, blocks) = seal_put_range(&node.client, &node.owner, &file, &body, (offset, len))?;
    println!(
        "{len} bytes from {offset} of {size} came in {blocks} blocks of 124 KiB: {} of them",
        range.len()
    );
    Ok(())
}
