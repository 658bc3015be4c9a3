//! The signal mask that a process starts with. Not here: what signals do (`main_loop`).

/// Lets every signal through: nginx blocks its own while it starts a new binary, and a blocked signal stays so in a process
/// that does not undo it. To be called before any thread is started, since threads start with the mask of their maker.
#[allow(unsafe_code, reason = "neither the standard library nor rustix has a safe way to change the signal mask")]
pub(super) fn let_signals_through() {
    // SAFETY: `sigset_t` is plain data that sigemptyset makes valid, and it outlives both calls. An empty mask is always
    // valid, so neither call can fail.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}
