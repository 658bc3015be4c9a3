//! The tidegate that is compared: built in release mode, by the cargo that runs this task, into the
//! same target directory.

use std::path::PathBuf;
use std::process::Command;

/// Builds tidegate and says where it is.
pub(crate) fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "tidegate", "--bin", "tidegate"]);
    let status = command.status().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("tidegate does not build (to measure the others: --only nginx,haproxy,forwarder)".into());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = own.ancestors().nth(2).ok_or("xtask is not in a target directory")?;
    Ok(target.join("release/tidegate"))
}
