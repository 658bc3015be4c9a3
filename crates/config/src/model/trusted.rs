//! Which clients are trusted, by their addresses. Not here: what they are trusted with.

use std::net::IpAddr;
use std::sync::Arc;

/// A set of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trusted {
    /// Their networks.
    pub ranges: Arc<[AddressRange]>,
    /// Clients over unix sockets belong to it.
    pub unix: bool,
}

impl Trusted {
    /// Whether a client of this address belongs to it; one without an address came over a unix socket.
    pub fn includes(&self, client: Option<IpAddr>) -> bool {
        match client {
            None => self.unix,
            Some(address) => self.ranges.iter().any(|range| range.contains(address)),
        }
    }
}

/// A network: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    length: u32,
}

impl AddressRange {
    /// Reads a network as nginx writes it; bits beyond its length do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => (address, Some(length)),
            Some(_) => return None,
            None => (text, None),
        };
        let network: IpAddr = address.parse().ok()?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(bits), |length| length.parse().ok()).filter(|length| *length <= bits)?;
        Some(Self { network, length })
    }

    /// Whether an address is in it. IPv4 addresses that are written as IPv6 ones are what they are.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                is_same(network.to_bits().into(), address.to_bits().into(), 32 - self.length)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                is_same(network.to_bits(), address.to_bits(), 128 - self.length)
            }
            _ => false,
        }
    }
}

/// Whether two addresses are the same but for their last bits.
fn is_same(a: u128, b: u128, last: u32) -> bool {
    (a ^ b).checked_shr(last).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, address: &str) -> bool {
        AddressRange::parse(range).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_what_begins_alike() {
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(!contains("192.0.2.7", "192.0.2.6"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("::/0", "2001:db9::1"));
    }

    #[test]
    fn the_families_are_told_apart_and_mapped_addresses_are_ipv4() {
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(!contains("::/0", "192.0.2.1"));
        assert!(!contains("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn what_is_no_network_is_not_read() {
        for text in
            ["", "x", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2.0/+8", "2001:db8::/129", "192.0.2/24"]
        {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nobody_is_trusted_unless_it_is_said() {
        assert!(!Trusted::default().includes(None));
        assert!(!Trusted::default().includes("127.0.0.1".parse().ok()));
    }
}
