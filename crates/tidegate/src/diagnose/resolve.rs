//! Resolves a name as the system does, and says why it cannot. Not here: connecting.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::time::Duration;

use policy::{Cause, Failure, Phase};

/// Every address of the name, each once, in the resolver's order.
///
/// # Errors
/// There is none, or the resolver has not said so in time.
pub(super) fn resolve(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let (tell, told) = channel();
    let name = (host.to_owned(), port);
    let look_up = move || {
        // Whoever asked may have given up.
        let _ = tell.send(name.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    };
    let started = std::thread::Builder::new().name("resolver".into()).spawn(look_up);
    match started.map(|_| told.recv_timeout(within)) {
        Ok(Ok(Ok(addresses))) => each_once(addresses),
        Ok(Ok(Err(error))) | Err(error) => Err(failure(&error)),
        Ok(Err(_)) => Err(Failure::timed_out(Phase::Resolve)),
    }
}

fn each_once(mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Failure> {
    let mut seen = Vec::new();
    addresses.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    if addresses.is_empty() { Err(Failure::new(Cause::NoAddress)) } else { Ok(addresses) }
}

/// The C library's words are all that the standard library passes on.
fn failure(error: &io::Error) -> Failure {
    let text = error.to_string();
    let why = text.rsplit(": ").next().unwrap_or(&text);
    let cause = match why {
        "Name or service not known" => Cause::NameNotFound,
        "No address associated with hostname" => Cause::NoAddress,
        _ => Cause::DnsServerFailed,
    };
    Failure::new(cause).detail(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_resolve_to_themselves() {
        let found = resolve("127.0.0.1", 80, Duration::from_secs(60)).unwrap();
        assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
    }

    #[test]
    fn an_address_that_comes_twice_counts_once() {
        let [a, b]: [SocketAddr; 2] = ["127.0.0.1:1".parse().unwrap(), "[::1]:1".parse().unwrap()];
        assert_eq!(each_once(vec![a, b, a]).unwrap(), [a, b]);
        assert_eq!(each_once(vec![]).unwrap_err().cause, Cause::NoAddress);
    }

    #[test]
    fn the_resolvers_words_tell_causes_apart() {
        let cause =
            |why: &str| failure(&io::Error::other(format!("failed to lookup address information: {why}"))).cause;
        assert_eq!(cause("Name or service not known"), Cause::NameNotFound);
        assert_eq!(cause("Temporary failure in name resolution"), Cause::DnsServerFailed);
        assert_eq!(cause("No address associated with hostname"), Cause::NoAddress);
    }
}
