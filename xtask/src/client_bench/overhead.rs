//! Instructions of a small GET in a client: those of 2N requests less those of N, by callgrind. Not here: the clients
//! (`crates/tower/examples/overhead.rs`).

use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::origin;
use crate::instructions::total;

const CLIENTS: [(&str, &str); 6] = [
    ("hyper", "hyper-util's client"),
    ("tidegate-layer", "`Retry` over it"),
    ("tidegate", "`Client`, the same with ease"),
    ("reqwest", "reqwest"),
    ("reqwest-tidegate", "reqwest with `RetryMiddleware`"),
    ("reqwest-retry", "reqwest with reqwest-retry"),
];

pub(super) fn print(requests: u64) -> Result<(), String> {
    let program = build()?;
    let origin = origin::start().map_err(|error| format!("the origin does not start: {error}"))?;
    println!("User-space instructions for a small GET in the client, of {requests} requests over one connection:\n");
    println!("| client | instructions | more than without |");
    println!("|---|---|---|");
    let mut bare = 0.0;
    for (name, said) in CLIENTS {
        let shorter = count(&program, name, origin, requests)?;
        let longer = count(&program, name, origin, 2 * requests)?;
        let each = (longer as f64 - shorter as f64) / requests as f64;
        let more = if matches!(name, "hyper" | "reqwest") {
            bare = each;
            String::new()
        } else {
            format!("{:.0} ({:.0} %)", each - bare, (each - bare) * 100.0 / bare)
        };
        println!("| {said} | {each:.0} | {more} |");
    }
    println!();
    Ok(())
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--release",
        "--package",
        "tidegate-tower",
        "--features",
        "reqwest",
        "--example",
        "overhead",
    ]);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("the clients do not build".into());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = own.ancestors().nth(2).ok_or("xtask is not in a target directory")?;
    Ok(target.join("release/examples/overhead"))
}

fn count(program: &Path, client: &str, origin: SocketAddrV4, requests: u64) -> Result<u64, String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = scratch.path().join("profile");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", &format!("--callgrind-out-file={}", file.display())]).arg(program);
    command.args([client, &format!("http://{origin}/small"), &requests.to_string()]);
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(format!("{client}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let profile = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    total(&profile).ok_or_else(|| format!("{client}: the profile has no total"))
}
