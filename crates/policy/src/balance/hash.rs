//! Methods that keep a key at its endpoint: `ip_hash`, `hash`, and `hash … consistent` on a ketama ring.
//! Keys land where nginx puts them, so that caches stay warm through a migration; an empty one is no key.
//! Not here: what the key is made of.

use super::{DRAWS, by_weight, round_robin};
use crate::upstream::{EndpointId, EndpointSettings, Pick, Upstream};

/// `ip_hash`: the key is the client's network.
pub(super) fn by_address(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    let mut hash = 89;
    draw(upstream, group, pick, |_| {
        hash = pick.key.iter().fold(hash, |hash, byte| (hash * 113 + u64::from(*byte)) % 6271);
        hash
    })
}

/// `hash KEY`: the key is hashed again, behind the number of the draw, until a usable endpoint is hit.
pub(super) fn by_key(upstream: &mut Upstream, group: &[EndpointId], pick: &Pick<'_>) -> Option<EndpointId> {
    if pick.key.is_empty() {
        return None;
    }
    let mut sum = 0;
    draw(upstream, group, pick, |number| {
        let again = if number > 0 { number.to_string() } else { String::new() };
        let crc = Crc32::new().update(again.as_bytes()).update(pick.key).finish();
        sum += u64::from(crc >> 16 & 0x7fff);
        sum
    })
}

fn draw(
    upstream: &Upstream,
    group: &[EndpointId],
    pick: &Pick<'_>,
    mut next: impl FnMut(u32) -> u64,
) -> Option<EndpointId> {
    if upstream.total_weight == 0 {
        return None;
    }
    (0..=DRAWS).find_map(|number| {
        let at = next(number) % upstream.total_weight;
        by_weight(upstream, group, at).filter(|id| upstream.is_usable(*id, pick))
    })
}

/// `hash KEY consistent`: the next server on the ring, from where the key lies, that has a usable endpoint.
pub(super) fn on_ring(upstream: &mut Upstream, pick: &Pick<'_>) -> Option<EndpointId> {
    if pick.key.is_empty() {
        return None;
    }
    let ring = std::mem::take(&mut upstream.ring);
    let found = ring.servers_from(crc32(pick.key)).find_map(|members| round_robin::choose(upstream, members, pick));
    upstream.ring = ring;
    found
}

/// Points that one unit of weight has on the ring.
const POINTS: u32 = 160;

/// A ketama ring: points, sorted, and the server that each stands for. The addresses of one name are one server.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    points: Vec<(u32, u32)>,
    servers: Vec<Vec<EndpointId>>,
}

impl Ring {
    /// Places every server by its name.
    pub(crate) fn new<'a>(endpoints: impl Iterator<Item = (EndpointId, &'a EndpointSettings)>) -> Self {
        let mut ring = Self::default();
        let mut names: Vec<&str> = Vec::new();
        for (id, settings) in endpoints {
            let known = names.iter().position(|name| **name == *settings.name);
            let server = known.unwrap_or(names.len());
            if known.is_none() {
                names.push(&settings.name);
                ring.servers.push(Vec::new());
            }
            ring.servers[server].push(id);
            ring.place(server as u32, settings);
        }
        ring.points.sort_by_key(|(hash, _)| *hash);
        ring.points.dedup_by_key(|(hash, _)| *hash);
        ring
    }

    fn place(&mut self, server: u32, settings: &EndpointSettings) {
        let (host, port) = host_and_port(&settings.name);
        let base = Crc32::new().update(host.as_bytes()).update(b"\0").update(port.as_bytes());
        let mut previous = [0; 4];
        for _ in 0..settings.weight.saturating_mul(POINTS) {
            let hash = base.update(&previous).finish();
            self.points.push((hash, server));
            previous = hash.to_le_bytes();
        }
    }

    /// The endpoints of the servers that lie behind `hash`, as many as are tried.
    fn servers_from(&self, hash: u32) -> impl Iterator<Item = &[EndpointId]> {
        let start = self.points.partition_point(|(point, _)| *point < hash);
        let points = self.points.iter().cycle().skip(start).take(self.points.len().min(DRAWS as usize + 1));
        points.map(|(_, server)| self.servers[*server as usize].as_slice())
    }
}

fn host_and_port(name: &str) -> (&str, &str) {
    if let Some(path) = name.strip_prefix("unix:") {
        return (path, "");
    }
    let split =
        name.rsplit_once(':').filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    split.unwrap_or((name, ""))
}

/// CRC-32 as of ISO 3309, the one of zlib and of nginx.
#[derive(Clone, Copy)]
struct Crc32(u32);

impl Crc32 {
    fn new() -> Self {
        Self(!0)
    }

    fn update(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        }))
    }

    fn finish(self) -> u32 {
        !self.0
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    Crc32::new().update(bytes).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32_has_its_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn names_are_split_at_their_port() {
        assert_eq!(host_and_port("127.0.0.1:80"), ("127.0.0.1", "80"));
        assert_eq!(host_and_port("[::1]:80"), ("[::1]", "80"));
        assert_eq!(host_and_port("unix:/a:1"), ("/a:1", ""));
        assert_eq!(host_and_port("app"), ("app", ""));
    }
}
