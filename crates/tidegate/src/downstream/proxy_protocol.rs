//! The PROXY protocol, versions 1 and 2: who the client really is, said by a balancer in front.
//! Bytes to an [`Origin`] only; not here: reading them, and whether to trust them (the listener's `proxy_protocol` says so).
//!
//! Source: the PROXY protocol specification, <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest version 1 line, its CRLF included.
pub(crate) const V1_MAX: usize = 107;
/// The most that a version 2 header may announce behind its 16 bytes; longer ones are refused.
pub(crate) const V2_MAX: usize = 4096;

const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The two ends of the connection as the balancer saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

/// What the bytes so far say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Not all of it is here yet.
    Partial,
    /// A header of so many bytes. Without ends it is a health check of the balancer's own, or of an unknown family.
    Complete(usize, Option<Ends>),
    /// No PROXY header.
    Broken,
}

/// Reads a header off the start of `input`.
pub(crate) fn parse(input: &[u8]) -> Header {
    let compared = input.len().min(V2_SIGNATURE.len());
    if input[..compared] == V2_SIGNATURE[..compared] && !input.is_empty() {
        return parse_v2(input);
    }
    parse_v1(input)
}

fn parse_v1(input: &[u8]) -> Header {
    const PREFIX: &[u8] = b"PROXY ";
    let compared = input.len().min(PREFIX.len());
    if input[..compared] != PREFIX[..compared] {
        return Header::Broken;
    }
    let window = &input[..input.len().min(V1_MAX)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if window.len() == V1_MAX { Header::Broken } else { Header::Partial };
    };
    match std::str::from_utf8(&window[PREFIX.len()..end]).ok().and_then(v1_ends) {
        Some(ends) => Header::Complete(end + 2, ends),
        None => Header::Broken,
    }
}

/// `TCP4 SOURCE DESTINATION SPORT DPORT`, `TCP6 …` or `UNKNOWN …`; the outer `None` is an error.
fn v1_ends(line: &str) -> Option<Option<Ends>> {
    let mut words = line.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let addresses: [IpAddr; 2] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
    let ports: [u16; 2] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
    let fits = match family {
        "TCP4" => addresses.iter().all(IpAddr::is_ipv4),
        "TCP6" => addresses.iter().all(IpAddr::is_ipv6),
        _ => false,
    };
    (fits && words.next().is_none()).then_some(Some(Ends {
        source: SocketAddr::new(addresses[0], ports[0]),
        destination: SocketAddr::new(addresses[1], ports[1]),
    }))
}

fn parse_v2(input: &[u8]) -> Header {
    let Some((head, rest)) = input.split_at_checked(16) else { return Header::Partial };
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    let (version, command) = (head[12] >> 4, head[12] & 0x0f);
    if version != 2 || command > 1 || length > V2_MAX {
        return Header::Broken;
    }
    let Some(body) = rest.get(..length) else { return Header::Partial };
    let ends = match (command, head[13]) {
        // LOCAL: the balancer speaks for itself.
        (0, _) => Some(None),
        (_, 0x11) => body.get(..12).map(v2_ends_v4),
        (_, 0x21) => body.get(..36).map(v2_ends_v6),
        // Other families carry nothing that we can use.
        _ => Some(None),
    };
    ends.map_or(Header::Broken, |ends| Header::Complete(16 + length, ends))
}

fn v2_ends_v4(body: &[u8]) -> Option<Ends> {
    let [a, b, c, d, e, f, g, h, p, q, r, s] = *body else { return None };
    Some(Ends {
        source: SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([p, q])),
        destination: SocketAddr::new(Ipv4Addr::new(e, f, g, h).into(), u16::from_be_bytes([r, s])),
    })
}

fn v2_ends_v6(body: &[u8]) -> Option<Ends> {
    let source: [u8; 16] = body.get(..16)?.try_into().ok()?;
    let destination: [u8; 16] = body.get(16..32)?.try_into().ok()?;
    let [p, q, r, s] = *body.get(32..36)? else { return None };
    Some(Ends {
        source: SocketAddr::new(Ipv6Addr::from(source).into(), u16::from_be_bytes([p, q])),
        destination: SocketAddr::new(Ipv6Addr::from(destination).into(), u16::from_be_bytes([r, s])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(source: &str, destination: &str) -> Option<Ends> {
        Some(Ends { source: source.parse().unwrap(), destination: destination.parse().unwrap() })
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = V2_SIGNATURE.to_vec();
        bytes.extend([0x20 | command, family]);
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[test]
    fn version_1_names_both_ends() {
        let line = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /";
        assert_eq!(parse(line), Header::Complete(45, ends("192.0.2.1:56324", "198.51.100.2:443")));
        let line = b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n";
        assert_eq!(parse(line), Header::Complete(line.len(), ends("[2001:db8::1]:1", "[::1]:2")));
        assert_eq!(parse(b"PROXY UNKNOWN whatever\r\n"), Header::Complete(24, None));
    }

    #[test]
    fn version_2_names_both_ends_and_skips_what_follows() {
        let body = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb, 0x03, 0, 1, 0];
        assert_eq!(parse(&v2(1, 0x11, &body)), Header::Complete(32, ends("192.0.2.1:56324", "198.51.100.2:443")));
        assert_eq!(parse(&v2(0, 0, &[])), Header::Complete(16, None));
    }

    #[test]
    fn every_prefix_of_a_header_is_partial() {
        let line: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
        let binary = v2(1, 0x11, &[0; 12]);
        for whole in [line, &binary] {
            for cut in 1..whole.len() {
                assert_eq!(parse(&whole[..cut]), Header::Partial, "{cut}");
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        for bytes in ["GET / HTTP/1.1\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n"] {
            assert_eq!(parse(bytes.as_bytes()), Header::Broken, "{bytes}");
        }
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'x'; 200]].concat()), Header::Broken);
        assert_eq!(parse(&v2(1, 0x11, &[0; 4])), Header::Broken);
        assert_eq!(parse(&v2(7, 0x11, &[0; 12])), Header::Broken);
    }
}
