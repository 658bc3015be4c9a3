//! How many descriptors the process may have open. Not here: how many connections a worker takes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit: to `wanted` (`worker_rlimit_nofile`), else as far as the system lets an ordinary process go.
///
/// # Errors
/// nginx's words, when `wanted` is more than the process may have.
pub(super) fn raise_open_files(wanted: Option<u64>) -> Result<(), String> {
    let now = getrlimit(Resource::Nofile);
    let limit = match wanted {
        Some(wanted) => {
            Rlimit { current: Some(wanted), maximum: Some(now.maximum.map_or(wanted, |max| max.max(wanted))) }
        }
        None => Rlimit { current: now.maximum, maximum: now.maximum },
    };
    setrlimit(Resource::Nofile, limit).map_err(|error| {
        let error = crate::logs::error_log::errno(&error.into());
        format!("setrlimit(RLIMIT_NOFILE, {}) failed ({error})", wanted.unwrap_or_default())
    })
}

/// The soft and the hard limit, as nginx shows them.
pub(super) fn open_files() -> String {
    let limit = getrlimit(Resource::Nofile);
    let shown = |number: Option<u64>| number.map_or("unlimited".to_owned(), |number| number.to_string());
    format!("{}:{}", shown(limit.current), shown(limit.maximum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_rises_to_the_hard_one() {
        raise_open_files(None).unwrap();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
