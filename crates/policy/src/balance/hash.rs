//! Methods that keep a key at its endpoint: `ip_hash`, `hash`, and `hash … consistent` on a ketama ring.
//! Keys land where nginx puts them, so that caches stay warm through a migration.

use super::{DRAWS, by_weight};
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

/// `hash KEY consistent`: the next usable endpoint on the ring from where the key lies.
pub(super) fn on_ring(upstream: &mut Upstream, pick: &Pick<'_>) -> Option<EndpointId> {
    let points = &upstream.points.0;
    let start = points.partition_point(|(hash, _)| *hash < crc32(pick.key));
    let ring = points.iter().cycle().skip(start).take(points.len().min(DRAWS as usize + 1));
    ring.map(|(_, id)| *id).find(|id| upstream.is_usable(*id, pick))
}

/// Points that one unit of weight has on the ring.
const POINTS: u32 = 160;

/// A ketama ring, sorted.
#[derive(Debug, Default)]
pub(crate) struct Points(Vec<(u32, EndpointId)>);

impl Points {
    /// Places every endpoint by its name.
    pub(crate) fn new<'a>(endpoints: impl Iterator<Item = (EndpointId, &'a EndpointSettings)>) -> Self {
        let mut points = Vec::new();
        for (id, settings) in endpoints {
            let (host, port) = host_and_port(&settings.name);
            let base = Crc32::new().update(host.as_bytes()).update(b"\0").update(port.as_bytes());
            let mut previous = [0; 4];
            for _ in 0..settings.weight.saturating_mul(POINTS) {
                let hash = base.update(&previous).finish();
                points.push((hash, id));
                previous = hash.to_le_bytes();
            }
        }
        points.sort_by_key(|(hash, _)| *hash);
        points.dedup_by_key(|(hash, _)| *hash);
        Self(points)
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
