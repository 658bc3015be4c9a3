//! nginx's choice of endpoints, written down as plainly as its documentation and its source say it: whole lists are walked
//! for every pick. It shares nothing with the crate but the settings.
//!
//! Time is milliseconds since the start; an endpoint that never failed was checked never.

use policy::{Balance, EndpointSettings, Outcome};

/// What a pick may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    One(usize),
    /// Any of these: the method draws.
    Any(Vec<usize>),
    /// None may serve.
    Nobody,
}

/// An upstream as nginx sees it.
pub(crate) struct Model {
    balance: Balance,
    peers: Vec<Peer>,
    /// For `hash … consistent`: points and the server that each stands for.
    ring: Vec<(u32, String)>,
}

struct Peer {
    settings: EndpointSettings,
    conns: u32,
    fails: u32,
    current_weight: i64,
    effective_weight: i64,
    failed: Option<u64>,
    checked: Option<u64>,
}

/// Draws that meet nobody usable before the methods that draw take turns instead.
const DRAWS: usize = 21;

impl Model {
    pub(crate) fn new(balance: Balance, settings: &[EndpointSettings]) -> Self {
        let peer = |settings: &EndpointSettings| Peer {
            settings: settings.clone(),
            conns: 0,
            fails: 0,
            current_weight: 0,
            effective_weight: i64::from(settings.weight),
            failed: None,
            checked: None,
        };
        let on_ring =
            settings.iter().filter(|settings| !settings.backup && balance == Balance::Hash { consistent: true });
        Self { balance, peers: settings.iter().map(peer).collect(), ring: ring(on_ring) }
    }

    pub(crate) fn conns(&self, peer: usize) -> u32 {
        self.peers[peer].conns
    }

    /// As many attempts as there are endpoints that are not `down`.
    pub(crate) fn tries(&self) -> usize {
        self.peers.iter().filter(|peer| !peer.settings.down).count()
    }

    /// Which endpoint serves. Turns are taken here; [`Model::begin`] counts the attempt.
    pub(crate) fn pick(&mut self, now: u64, tried: &[usize], key: &[u8]) -> Choice {
        if let Some(only) = self.single() {
            let peer = &self.peers[only];
            return if peer.settings.down || peer.is_full() { Choice::Nobody } else { Choice::One(only) };
        }
        for backups in [false, true] {
            let group: Vec<usize> =
                (0..self.peers.len()).filter(|at| self.peers[*at].settings.backup == backups).collect();
            let balance = match self.balance {
                Balance::LeastConn => Balance::LeastConn,
                _ if backups => Balance::RoundRobin,
                balance => balance,
            };
            match self.pick_among(balance, &group, now, tried, key) {
                Choice::Nobody => {}
                choice => return choice,
            }
        }
        Choice::Nobody
    }

    fn pick_among(&mut self, balance: Balance, group: &[usize], now: u64, tried: &[usize], key: &[u8]) -> Choice {
        let usable: Vec<usize> = group.iter().copied().filter(|at| self.is_usable(*at, now, tried)).collect();
        if usable.is_empty() {
            return Choice::Nobody;
        }
        let found = match balance {
            Balance::RoundRobin => None,
            Balance::LeastConn => self.least_conn(&usable),
            Balance::IpHash => draw(ip_hash(key), |at| self.by_weight(group, at), &usable),
            Balance::Hash { .. } if key.is_empty() => None,
            Balance::Hash { consistent: false } => draw(hash(key), |at| self.by_weight(group, at), &usable),
            Balance::Hash { consistent: true } => self.on_ring(key, &usable),
            Balance::Random { .. } | Balance::Ewma => return Choice::Any(usable),
        };
        Choice::One(found.unwrap_or_else(|| self.next_turn(&usable)))
    }

    /// Counts an attempt. The first after `fail_timeout` begins a new window: it is the trial.
    pub(crate) fn begin(&mut self, peer: usize, now: u64) {
        let peer = &mut self.peers[peer];
        peer.conns += 1;
        if peer.checked.is_none_or(|checked| now - checked > peer.fail_timeout()) {
            peer.checked = Some(now);
        }
    }

    /// Ends an attempt; whether it takes the endpoint out.
    pub(crate) fn finish(&mut self, at: usize, outcome: Outcome, now: u64) -> bool {
        let single = self.single().is_some();
        let peer = &mut self.peers[at];
        peer.conns -= 1;
        match outcome {
            Outcome::Failure if !single => {
                peer.fails += 1;
                peer.failed = Some(now);
                peer.checked = Some(now);
                let share = peer.settings.weight.checked_div(peer.settings.max_fails).unwrap_or(0);
                peer.effective_weight = (peer.effective_weight - i64::from(share)).max(0);
                peer.settings.max_fails > 0 && peer.fails >= peer.settings.max_fails
            }
            Outcome::Success if !single && peer.failed < peer.checked => {
                peer.fails = 0;
                false
            }
            _ => false,
        }
    }

    fn single(&self) -> Option<usize> {
        (self.peers.len() == 1 && !self.peers[0].settings.backup).then_some(0)
    }

    fn is_usable(&self, at: usize, now: u64, tried: &[usize]) -> bool {
        let peer = &self.peers[at];
        !(tried.contains(&at) || peer.settings.down || peer.is_full() || peer.is_out(now))
    }

    /// Smooth weighted round robin.
    fn next_turn(&mut self, usable: &[usize]) -> usize {
        let total: i64 = usable.iter().map(|at| self.peers[*at].effective_weight).sum();
        for at in usable {
            let peer = &mut self.peers[*at];
            peer.current_weight += peer.effective_weight;
            peer.effective_weight = (peer.effective_weight + 1).min(i64::from(peer.settings.weight));
        }
        let highest = usable.iter().map(|at| self.peers[*at].current_weight).max();
        let best = usable.iter().copied().find(|at| Some(self.peers[*at].current_weight) == highest);
        let best = best.expect("somebody is usable");
        self.peers[best].current_weight -= total;
        best
    }

    /// Fewest in hand for its weight; `None` leaves the choice among equals to turns, which are taken here.
    fn least_conn(&mut self, usable: &[usize]) -> Option<usize> {
        let is_least = |at: usize| {
            let a = &self.peers[at];
            usable.iter().all(|other| {
                let b = &self.peers[*other];
                u64::from(a.conns) * u64::from(b.settings.weight) <= u64::from(b.conns) * u64::from(a.settings.weight)
            })
        };
        let least: Vec<usize> = usable.iter().copied().filter(|at| is_least(*at)).collect();
        Some(if let [only] = least[..] { only } else { self.next_turn(&least) })
    }

    /// Whom the point `at` meets when every endpoint of the group takes as many points as it weighs.
    fn by_weight(&self, group: &[usize], at: u64) -> usize {
        let points = group.iter().flat_map(|peer| vec![*peer; self.peers[*peer].settings.weight as usize]);
        let points: Vec<usize> = points.collect();
        points[usize::try_from(at % points.len() as u64).unwrap_or_default()]
    }

    /// The next point of the ring from the key on whose server has a usable endpoint.
    fn on_ring(&mut self, key: &[u8], usable: &[usize]) -> Option<usize> {
        let start = self.ring.iter().position(|(hash, _)| *hash >= crc32(key)).unwrap_or(0);
        for step in 0..DRAWS.min(self.ring.len()) {
            let name = &self.ring[(start + step) % self.ring.len()].1;
            let named = |at: &&usize| &*self.peers[**at].settings.name == name.as_str();
            let there: Vec<usize> = usable.iter().filter(named).copied().collect();
            if !there.is_empty() {
                return Some(self.next_turn(&there));
            }
        }
        None
    }
}

impl Peer {
    fn is_full(&self) -> bool {
        self.settings.max_conns > 0 && self.conns >= self.settings.max_conns
    }

    fn is_out(&self, now: u64) -> bool {
        let rests = self.checked.is_some_and(|checked| now - checked <= self.fail_timeout());
        self.settings.max_fails > 0 && self.fails >= self.settings.max_fails && rests
    }

    fn fail_timeout(&self) -> u64 {
        u64::try_from(self.settings.fail_timeout.as_millis()).unwrap_or(u64::MAX)
    }
}

fn draw(points: impl Iterator<Item = u64>, whom: impl Fn(u64) -> usize, usable: &[usize]) -> Option<usize> {
    points.take(DRAWS).map(whom).find(|at| usable.contains(at))
}

/// The draws of `ip_hash`: the hash goes on over the address again and again.
fn ip_hash(address: &[u8]) -> impl Iterator<Item = u64> {
    let mut hash = 89;
    std::iter::repeat_with(move || {
        for byte in address {
            hash = (hash * 113 + u64::from(*byte)) % 6271;
        }
        hash
    })
}

/// The draws of `hash`, those of Cache::Memcached: sums of hashes of the key behind the number of the draw.
fn hash(key: &[u8]) -> impl Iterator<Item = u64> {
    let mut sum = 0;
    (0..).map(move |number: u32| {
        let again = if number == 0 { String::new() } else { number.to_string() };
        sum += u64::from(crc32(&[again.as_bytes(), key].concat()) >> 16 & 0x7fff);
        sum
    })
}

/// The ring of Cache::Memcached::Fast: 160 points for each unit of weight, each the hash of server, port and the point before.
fn ring<'a>(settings: impl Iterator<Item = &'a EndpointSettings>) -> Vec<(u32, String)> {
    let mut points: Vec<(u32, String)> = Vec::new();
    for settings in settings {
        let name = settings.name.strip_prefix("unix:").unwrap_or(&settings.name);
        let (host, port) = name.rsplit_once(':').unwrap_or((name, ""));
        let mut point = 0u32;
        for _ in 0..settings.weight * 160 {
            point = crc32(&[host.as_bytes(), b"\0", port.as_bytes(), &point.to_le_bytes()].concat());
            points.push((point, settings.name.to_string()));
        }
    }
    points.sort_by_key(|(hash, _)| *hash);
    points.dedup_by_key(|(hash, _)| *hash);
    points
}

/// CRC-32 by long division, most significant bit first, with everything turned round before and behind.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(byte.reverse_bits()) << 24;
        for _ in 0..8 {
            rest = if rest >> 31 == 1 { rest << 1 ^ 0x04c1_1db7 } else { rest << 1 };
        }
    }
    !rest.reverse_bits()
}
