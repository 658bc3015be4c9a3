//! A name server on loopback that says what a test tells it to, and remembers how often it was asked. Not here: TCP,
//! other types than A and AAAA.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// What the server says of a name.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    /// This address, for so many seconds.
    Address(Ipv4Addr, u32),
    /// This IPv4 address, and `::1`.
    Both(Ipv4Addr, u32),
    /// Nothing but a response code (RFC 1035 §4.1.1).
    Code(u8),
    /// Nothing.
    Silence,
}

pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    table: Arc<Mutex<HashMap<String, (Says, usize)>>>,
}

impl Dns {
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let dns = Self { address: socket.local_addr().unwrap(), table: Arc::default() };
        let table = dns.table.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut bytes) {
                if let Some(answer) = answer(&bytes[..length], &table) {
                    // Who has gone needs no answer.
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        dns
    }

    /// From now on says this of a name.
    pub(crate) fn says(&self, name: &str, says: Says) {
        self.table.lock().unwrap().entry(name.into()).or_insert((says, 0)).0 = says;
    }

    /// How often it was asked for a name's IPv4 address.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.table.lock().unwrap().get(name).map_or(0, |(_, asked)| *asked)
    }
}

const A: u16 = 1;
const AAAA: u16 = 28;
const NXDOMAIN: u8 = 3;

fn answer(question: &[u8], table: &Mutex<HashMap<String, (Says, usize)>>) -> Option<Vec<u8>> {
    let (name, end) = name_in(question)?;
    let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
    let says = {
        let mut table = table.lock().unwrap();
        let entry = table.entry(name).or_insert((Says::Code(NXDOMAIN), 0));
        entry.1 += usize::from(kind == A);
        entry.0
    };
    let (code, address) = match says {
        Says::Address(address, ttl) | Says::Both(address, ttl) if kind == A => {
            (0, Some((address.octets().to_vec(), ttl)))
        }
        Says::Both(_, ttl) if kind == AAAA => (0, Some((Ipv6Addr::LOCALHOST.octets().to_vec(), ttl))),
        Says::Address(..) | Says::Both(..) => (0, None),
        Says::Code(code) => (code, None),
        Says::Silence => return None,
    };
    let mut bytes = question.get(..2)?.to_vec();
    // An answer to a standard question, recursion wanted and had.
    bytes.extend([0x81, 0x80 | code]);
    bytes.extend([0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
    bytes.extend(question.get(12..end + 4)?);
    if let Some((address, ttl)) = address {
        // The name is the question's, at its place in the message.
        bytes.extend([0xc0, 12]);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1]);
        bytes.extend(ttl.to_be_bytes());
        bytes.extend((address.len() as u16).to_be_bytes());
        bytes.extend(address);
    }
    Some(bytes)
}

/// The name that is asked for, in small letters, and where it ends.
fn name_in(question: &[u8]) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(str::from_utf8(question.get(at..at + length)?).ok()?.to_ascii_lowercase());
        at += length;
    }
}
