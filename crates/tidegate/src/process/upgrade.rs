//! USR2: a new binary starts beside this one and takes over the listening sockets. Not here: their passage (`inherit`).

use std::env;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use super::{Invocation, daemon, inherit};

/// Where a new binary will be found: worked out at the start, before an upgrade replaces the file.
pub(super) fn binary(invocation: &Invocation) -> io::Result<PathBuf> {
    let called = PathBuf::from(&invocation.program);
    if called.is_absolute() {
        return Ok(called);
    }
    if called.components().count() > 1 {
        return std::path::absolute(called);
    }
    env::current_exe()
}

/// Starts the new binary with the same arguments and copies of the sockets.
pub(super) fn start<'a>(
    binary: &PathBuf,
    invocation: &Invocation,
    sockets: impl IntoIterator<Item = BorrowedFd<'a>>,
) -> io::Result<Child> {
    let legacy = inherit::Legacy::of(sockets)?;
    let mut command = Command::new(binary);
    command.arg0(&invocation.program).args(&invocation.arguments);
    command.env(inherit::VARIABLE, legacy.text());
    daemon::forget_background(&mut command);
    command.spawn()
}
