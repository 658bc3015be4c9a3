//! The kernel's tables of sockets (proc_net(5)), and the system's of accounts. Not here: reading files.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A listening TCP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) address: SocketAddr,
    /// Connections that wait to be accepted: of a listening socket the receive queue counts them.
    pub(super) waiting: u32,
    pub(super) inode: u64,
}

impl Row {
    /// Whether a connection to this address is its.
    pub(super) fn takes(&self, address: IpAddr) -> bool {
        let own = self.address.ip();
        // An unspecified IPv6 address takes IPv4 too, unless its socket says otherwise, which no table tells.
        own == address || (own.is_unspecified() && (own.is_ipv6() || address.is_ipv4()))
    }
}

/// The state of a listening socket.
const LISTEN: &str = "0A";

/// The listening sockets of `/proc/net/tcp` or `/proc/net/tcp6`.
pub(super) fn tcp(text: &str) -> impl Iterator<Item = Row> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let local = words.nth(1)?;
        let state = words.nth(1)?;
        let queues = words.next()?;
        let inode = words.nth(4)?.parse().ok()?;
        let waiting = u32::from_str_radix(queues.split_once(':')?.1, 16).ok()?;
        (state == LISTEN).then_some(())?;
        Some(Row { address: address(local)?, waiting, inode })
    })
}

/// `0100007F:1F90`: words in the machine's byte order.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = host.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<_>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let host: IpAddr = match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).map(Ipv4Addr::from).ok()?.into(),
        _ => <[u8; 16]>::try_from(bytes).map(Ipv6Addr::from).ok()?.into(),
    };
    Some(SocketAddr::new(host, port))
}

/// The listening socket of a path in `/proc/net/unix`, by its inode.
pub(super) fn unix(text: &str, path: &str) -> Option<u64> {
    text.lines().skip(1).find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        // `Num RefCount Protocol Flags Type St Inode Path`; the flag is that of a socket that accepts.
        let [_, _, _, flags, _, _, inode, found] = words.as_slice() else { return None };
        (*flags == "00010000" && *found == path).then(|| inode.parse().ok())?
    })
}

/// The name of an account in `/etc/passwd`, or of a group in `/etc/group`.
pub(super) fn account(text: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    let line = text.lines().find(|line| line.split(':').nth(2) == Some(&id))?;
    line.split(':').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 4711 1 0000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000 100 0 0 10 0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_with_their_queue() {
        let rows: Vec<_> = tcp(TCP).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], Row { address: "127.0.0.1:8080".parse().unwrap(), waiting: 2, inode: 4711 });
        assert!(rows[0].takes("127.0.0.1".parse().unwrap()) && !rows[0].takes("127.0.0.2".parse().unwrap()));
        assert!(rows[1].takes("127.0.0.2".parse().unwrap()) && !rows[1].takes("::1".parse().unwrap()));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv6_addresses_are_four_words() {
        assert_eq!(address("00000000000000000000000001000000:1F90"), Some("[::1]:8080".parse().unwrap()));
        assert_eq!(address("x:1F90"), None);
    }

    #[test]
    fn a_unix_socket_is_found_by_its_path() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
                    0000000000000000: 00000003 00000000 00000000 0001 03 1 /run/a.sock\n\
                    0000000000000000: 00000002 00000000 00010000 0001 01 2 /run/a.sock\n";
        assert_eq!(unix(text, "/run/a.sock"), Some(2));
        assert_eq!(unix(text, "/run/b.sock"), None);
    }

    #[test]
    fn accounts_have_names() {
        let text = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n";
        assert_eq!(account(text, 33).as_deref(), Some("www-data"));
        assert_eq!(account(text, 7), None);
    }
}
