//! Going to the background (`daemon on`): the program starts itself once more in a session of its own, and the process
//! that was called waits until that one serves. Not here: what happens then.
//!
//! No fork: a process with threads cannot fork safely. The waiting parent learns of success by one byte through a pipe
//! that is the child's standard input; its end without the byte means failure, and the child's exit code becomes ours.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use super::Invocation;

/// Tells the started process that it is the one in the background.
const VARIABLE: &str = "TIDEGATE_BACKGROUND";

/// Whether this process was started by [`detach`].
pub(super) fn is_background() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Starts the background process and waits until it serves or fails. Returns the code to exit with.
///
/// # Errors
/// The process cannot be started.
pub(super) fn detach(invocation: &Invocation) -> io::Result<u8> {
    let (mut news, childs_end) = io::pipe()?;
    let mut child = Command::new("/proc/self/exe");
    child
        .arg0(&invocation.program)
        .args(&invocation.arguments)
        .env(VARIABLE, "1")
        .stdin(Stdio::from(childs_end))
        .stdout(Stdio::null());
    let mut process = child.spawn()?;
    // The command holds our copy of the child's end: with it open, the child's death would go unnoticed.
    drop(child);
    match news.read(&mut [0]) {
        Ok(1) => Ok(0),
        _ => process.wait().map(code_of),
    }
}

/// A child that a signal ended counts as failed.
fn code_of(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Leaves the caller's session and terminal.
///
/// # Errors
/// The system refuses.
pub(super) fn leave_session(invocation: &Invocation) -> io::Result<()> {
    rustix::process::setsid()?;
    take_name(&invocation.name());
    // Log and pid files are 0644 whatever the caller's umask, as nginx's are; nothing becomes writable for others.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(())
}

/// The system names a process after the file that was run, which was `/proc/self/exe`: `pgrep` and `killall` would look
/// for "exe".
fn take_name(name: &str) {
    // A name is a comfort: without it the process serves as well.
    let _ = std::fs::write("/proc/self/comm", name);
}

/// Tells the waiting parent that this process serves, and gives up the terminal's input and output.
///
/// # Errors
/// `/dev/null` cannot be opened.
pub(super) fn announce_ready() -> io::Result<()> {
    // A parent that is gone needs no news.
    let _ = rustix::io::write(io::stdin().as_fd(), b"1");
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}

/// Sends what would go to the terminal's error output into the error log, as nginx does.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn redirect_stderr(error_log: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(error_log)?;
    rustix::stdio::dup2_stderr(&file)?;
    Ok(())
}

/// The environment of a process that is started later must not say that it is in the background.
pub(super) fn forget_background(command: &mut Command) {
    command.env_remove(VARIABLE);
}
