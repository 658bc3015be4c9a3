//! The signal mask that a process starts with. Not here: what signals do (`main_loop`).

use nix::sys::signal::SigSet;

/// Lets every signal through: nginx blocks its own while it starts a new binary, and a blocked signal stays so in a process
/// that does not undo it. To be called before any thread is started, since threads start with the mask of their maker.
pub(super) fn let_signals_through() {
    // It fails for a word that names no operation, which this call does not take.
    let _ = SigSet::empty().thread_set_mask();
}

#[cfg(test)]
mod tests {
    use nix::sys::signal::Signal;

    use super::*;

    #[test]
    fn a_blocked_signal_comes_through_again() {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGWINCH);
        blocked.thread_block().unwrap();
        assert!(SigSet::thread_get_mask().unwrap().contains(Signal::SIGWINCH));
        let_signals_through();
        assert!(!SigSet::thread_get_mask().unwrap().contains(Signal::SIGWINCH));
    }
}
