//! Linux's error numbers that connections meet, and the texts by which logs show them.

pub(super) const EPERM: i32 = 1;
pub(super) const ENOENT: i32 = 2;
pub(super) const EAGAIN: i32 = 11;
pub(super) const ENOMEM: i32 = 12;
pub(super) const EACCES: i32 = 13;
pub(super) const ENFILE: i32 = 23;
pub(super) const EMFILE: i32 = 24;
pub(super) const EADDRINUSE: i32 = 98;
pub(super) const EADDRNOTAVAIL: i32 = 99;
pub(super) const ENETDOWN: i32 = 100;
pub(super) const ENETUNREACH: i32 = 101;
pub(super) const ECONNRESET: i32 = 104;
pub(super) const ENOBUFS: i32 = 105;
pub(super) const ETIMEDOUT: i32 = 110;
pub(super) const ECONNREFUSED: i32 = 111;
pub(super) const EHOSTDOWN: i32 = 112;
pub(super) const EHOSTUNREACH: i32 = 113;

/// Whether a peer or a router says it, some time after `connect()` was called; all else this machine says at once.
pub(super) fn comes_later(errno: i32) -> bool {
    matches!(errno, ECONNREFUSED | ECONNRESET | ETIMEDOUT | EHOSTUNREACH | EHOSTDOWN)
}

/// `111: Connection refused`, as nginx shows it.
pub fn errno_text(errno: i32) -> String {
    let text = match errno {
        EPERM => "Operation not permitted",
        ENOENT => "No such file or directory",
        EAGAIN => "Resource temporarily unavailable",
        ENOMEM => "Cannot allocate memory",
        EACCES => "Permission denied",
        ENFILE => "Too many open files in system",
        EMFILE => "Too many open files",
        32 => "Broken pipe",
        EADDRINUSE => "Address already in use",
        EADDRNOTAVAIL => "Cannot assign requested address",
        ENETDOWN => "Network is down",
        ENETUNREACH => "Network is unreachable",
        ECONNRESET => "Connection reset by peer",
        ENOBUFS => "No buffer space available",
        ETIMEDOUT => "Connection timed out",
        ECONNREFUSED => "Connection refused",
        EHOSTDOWN => "Host is down",
        EHOSTUNREACH => "No route to host",
        _ => "Unknown error",
    };
    format!("{errno}: {text}")
}
