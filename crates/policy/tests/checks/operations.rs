//! Bytes taken for a group of endpoints and for what happens to them: exchanges that pick, fail over and end, while time goes
//! by. After every step the upstream must have done what the model did.

use std::time::{Duration, Instant};

use policy::{Balance, EndpointId, EndpointSettings, Outcome, Pick, Tried, Upstream};

use super::model::{Choice, Model};

/// Plays these bytes; panics where upstream and model disagree.
pub(crate) fn check(data: &[u8]) {
    let mut bytes = data.iter().copied();
    let Some(mut world) = World::new(&mut bytes) else { return };
    while let Some(operation) = bytes.next() {
        let argument = bytes.next().unwrap_or_default();
        match operation % 8 {
            0..=2 => world.begin(argument),
            3 => world.advance(u64::from(argument)),
            4 => world.advance(u64::from(argument) * 100),
            5 => world.end(argument, Outcome::Success, false),
            6 => world.end(argument, Outcome::Failure, operation & 8 == 8),
            _ => world.end(argument, Outcome::Neutral, operation & 8 == 8),
        }
        world.assert_counts_agree();
    }
}

/// A request on its way: its key, whom it has asked before, and whom it asks now.
struct Exchange {
    key: Vec<u8>,
    asked: Vec<EndpointId>,
    at: EndpointId,
}

struct World {
    upstream: Upstream,
    model: Model,
    start: Instant,
    now: u64,
    exchanges: Vec<Exchange>,
}

impl World {
    fn new(bytes: &mut impl Iterator<Item = u8>) -> Option<Self> {
        let kind = bytes.next()?;
        let balance = match kind % 7 {
            0 => Balance::RoundRobin,
            1 => Balance::LeastConn,
            2 => Balance::IpHash,
            3 => Balance::Hash { consistent: false },
            4 => Balance::Hash { consistent: true },
            5 => Balance::Random { two: false },
            _ if kind >= 128 => Balance::Ewma,
            _ => Balance::Random { two: true },
        };
        let count = usize::from(kind / 7 % 8) + 1;
        let settings: Vec<EndpointSettings> = (0..count).map(|at| settings(at, bytes.next(), bytes.next())).collect();
        let start = Instant::now();
        let upstream = Upstream::new(balance, settings.clone(), u64::from(kind));
        let model = Model::new(balance, &settings);
        assert_eq!(upstream.tries() as usize, model.tries());
        Some(Self { upstream, model, start, now: 0, exchanges: Vec::new() })
    }

    fn advance(&mut self, milliseconds: u64) {
        self.now += milliseconds;
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn begin(&mut self, key: u8) {
        let key = if key == 0 { Vec::new() } else { vec![key, key.wrapping_mul(7)] };
        self.pick(key, Vec::new());
    }

    fn pick(&mut self, key: Vec<u8>, asked: Vec<EndpointId>) {
        let mut tried = Tried::default();
        asked.iter().for_each(|id| tried.insert(*id));
        let indices: Vec<usize> = asked.iter().map(|id| id.index()).collect();
        let picked =
            self.upstream.pick(&Pick { now: self.instant(), tried: &tried, key: &key, watch: policy::Watch::Off });
        let expected = self.model.pick(self.now, &indices, &key);
        let Ok(id) = picked else {
            assert_eq!(expected, Choice::Nobody, "refused at {} after {asked:?}", self.now);
            return;
        };
        match expected {
            Choice::One(one) => assert_eq!(id.index(), one, "at {} after {asked:?}", self.now),
            Choice::Any(any) => assert!(any.contains(&id.index()), "{} is none of {any:?}", id.index()),
            Choice::Nobody => panic!("{} may not serve", id.index()),
        }
        self.model.begin(id.index(), self.now);
        self.exchanges.push(Exchange { key, asked, at: id });
    }

    fn end(&mut self, which: u8, outcome: Outcome, fails_over: bool) {
        if self.exchanges.is_empty() {
            return;
        }
        let exchange = self.exchanges.swap_remove(usize::from(which) % self.exchanges.len());
        let out = self.upstream.finish(exchange.at, outcome, self.instant());
        assert_eq!(out, self.model.finish(exchange.at.index(), outcome, self.now), "taken out at {}", self.now);
        if fails_over {
            let mut asked = exchange.asked;
            asked.push(exchange.at);
            self.pick(exchange.key, asked);
        }
    }

    fn assert_counts_agree(&self) {
        for Exchange { at, .. } in &self.exchanges {
            let in_hand = self.exchanges.iter().filter(|exchange| exchange.at == *at).count() as u32;
            assert_eq!((self.upstream.active(*at), self.model.conns(at.index())), (in_hand, in_hand));
        }
    }
}

/// Small numbers, so that bounds are met; names of which some are equal or without a port.
fn settings(at: usize, shape: Option<u8>, bounds: Option<u8>) -> EndpointSettings {
    let (shape, bounds) = (shape.unwrap_or_default(), bounds.unwrap_or_default());
    let name = match shape >> 4 & 3 {
        0 => format!("10.0.0.{at}:80"),
        1 => format!("10.0.0.{at}"),
        2 => "app:8080".to_owned(),
        _ => format!("unix:/run/{at}.sock"),
    };
    EndpointSettings {
        weight: u32::from(shape & 3) + 1,
        max_conns: u32::from(bounds & 3),
        max_fails: u32::from(bounds >> 2 & 3),
        max_fails_written: true,
        fail_timeout: Duration::from_millis(u64::from(bounds >> 4) * 500),
        backup: shape & 12 == 12 && at > 0,
        down: shape & 12 == 4,
        name: name.into(),
    }
}
