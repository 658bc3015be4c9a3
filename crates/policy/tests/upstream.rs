//! The choice of endpoints in virtual time: nginx's sequences, and invariants beside a naive model.

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::time::{Duration, Instant};

use policy::{Balance, EndpointSettings, Outcome, Pick, Refusal, Tried, Upstream};
use proptest::prelude::*;

fn endpoint(weight: u32) -> EndpointSettings {
    EndpointSettings {
        weight,
        max_conns: 0,
        max_fails: 1,
        fail_timeout: Duration::from_secs(10),
        backup: false,
        down: false,
        name: "127.0.0.1:80".into(),
    }
}

fn named(name: &str) -> EndpointSettings {
    EndpointSettings { name: name.into(), ..endpoint(1) }
}

fn pick(upstream: &mut Upstream, now: Instant) -> Option<usize> {
    pick_for(upstream, now, &Tried::default(), b"")
}

fn pick_for(upstream: &mut Upstream, now: Instant, tried: &Tried, key: &[u8]) -> Option<usize> {
    let id = upstream.pick(&Pick { now, tried, key }).ok()?;
    upstream.finish(id, Outcome::Success, now);
    Some(id.index())
}

fn sequence(upstream: &mut Upstream, count: usize) -> Vec<usize> {
    let now = Instant::now();
    (0..count).map(|_| pick(upstream, now).unwrap()).collect()
}

#[test]
fn round_robin_is_smooth() {
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![endpoint(5), endpoint(1), endpoint(1)], 1);
    assert_eq!(sequence(&mut upstream, 7), [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn an_endpoint_that_failed_is_out_for_its_fail_timeout_and_then_tried_once() {
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![endpoint(1), endpoint(1)], 1);
    let start = Instant::now();
    let id = upstream.pick(&Pick { now: start, tried: &Tried::default(), key: b"" }).unwrap();
    assert!(upstream.finish(id, Outcome::Failure, start));
    for seconds in 0..10 {
        assert_eq!(pick(&mut upstream, start + Duration::from_secs(seconds)), Some(1));
    }
    let later = start + Duration::from_millis(10_001);
    let trial: Vec<_> = (0..3)
        .map(|_| {
            let id = upstream.pick(&Pick { now: later, tried: &Tried::default(), key: b"" }).unwrap();
            if id.index() == 0 {
                upstream.finish(id, Outcome::Failure, later);
            } else {
                upstream.finish(id, Outcome::Success, later);
            }
            id.index()
        })
        .collect();
    assert_eq!(trial.iter().filter(|index| **index == 0).count(), 1, "{trial:?}");
}

#[test]
fn max_fails_failures_within_the_window_are_needed() {
    let settings = EndpointSettings { max_fails: 3, ..endpoint(1) };
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![settings, endpoint(1)], 1);
    let now = Instant::now();
    let mut ejected = Vec::new();
    while ejected.len() < 3 {
        let id = upstream.pick(&Pick { now, tried: &Tried::default(), key: b"" }).unwrap();
        let outcome = if id.index() == 0 { Outcome::Failure } else { Outcome::Success };
        let out = upstream.finish(id, outcome, now);
        if id.index() == 0 {
            ejected.push(out);
        }
    }
    assert_eq!(ejected, [false, false, true]);
}

#[test]
fn a_group_of_one_is_never_taken_out() {
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![endpoint(1)], 1);
    let now = Instant::now();
    for _ in 0..3 {
        let id = upstream.pick(&Pick { now, tried: &Tried::default(), key: b"" }).unwrap();
        assert!(!upstream.finish(id, Outcome::Failure, now));
    }
}

#[test]
fn backups_serve_only_when_no_other_may() {
    let backup = EndpointSettings { backup: true, ..endpoint(1) };
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![endpoint(1), backup], 1);
    let now = Instant::now();
    assert_eq!(pick(&mut upstream, now), Some(0));
    let id = upstream.pick(&Pick { now, tried: &Tried::default(), key: b"" }).unwrap();
    upstream.finish(id, Outcome::Failure, now);
    assert_eq!(pick(&mut upstream, now), Some(1));
    let down = EndpointSettings { down: true, ..endpoint(1) };
    let mut upstream = Upstream::new(Balance::RoundRobin, vec![down.clone(), down], 1);
    assert_eq!(upstream.pick(&Pick { now, tried: &Tried::default(), key: b"" }), Err(Refusal::NoLiveEndpoints));
}

#[test]
fn least_conn_prefers_the_least_loaded_by_weight() {
    let mut upstream = Upstream::new(Balance::LeastConn, vec![endpoint(1), endpoint(2)], 1);
    let now = Instant::now();
    let picks: Vec<_> =
        (0..6).map(|_| upstream.pick(&Pick { now, tried: &Tried::default(), key: b"" }).unwrap().index()).collect();
    assert_eq!(picks.iter().filter(|index| **index == 1).count(), 4, "{picks:?}");
}

#[test]
fn hashing_methods_keep_a_key_at_its_endpoint_and_move_it_when_that_was_tried() {
    let endpoints = || (1..=5).map(|port| named(&format!("127.0.0.1:{port}"))).collect::<Vec<_>>();
    let now = Instant::now();
    for balance in [Balance::IpHash, Balance::Hash { consistent: false }, Balance::Hash { consistent: true }] {
        let mut upstream = Upstream::new(balance, endpoints(), 1);
        for key in [b"abc".as_slice(), b"xyz", b"192"] {
            let home = pick_for(&mut upstream, now, &Tried::default(), key);
            assert_eq!(pick_for(&mut upstream, now, &Tried::default(), key), home);
            let mut tried = Tried::default();
            tried.insert(upstream.pick(&Pick { now, tried: &Tried::default(), key }).unwrap());
            let other = pick_for(&mut upstream, now, &tried, key);
            assert!(other.is_some() && other != home, "{balance:?}");
        }
    }
}

#[test]
fn a_consistent_ring_moves_few_keys_when_an_endpoint_leaves() {
    let names: Vec<_> = (1..=5).map(|port| named(&format!("127.0.0.1:{port}"))).collect();
    let mut less = names.clone();
    less[4].down = true;
    let balance = Balance::Hash { consistent: true };
    let (mut before, mut after) = (Upstream::new(balance, names, 1), Upstream::new(balance, less, 1));
    let now = Instant::now();
    for key in 0..500u32 {
        let key = key.to_string();
        let home = pick_for(&mut before, now, &Tried::default(), key.as_bytes());
        let moved = pick_for(&mut after, now, &Tried::default(), key.as_bytes());
        assert!(home == Some(4) || home == moved, "{key}");
    }
}

proptest! {
    /// Whatever happens in whatever order: counts are exact, nothing forbidden is picked, limits hold.
    #[test]
    fn invariants_hold_after_every_step(
        balance in prop_oneof![
            Just(Balance::RoundRobin), Just(Balance::LeastConn), Just(Balance::IpHash),
            Just(Balance::Hash { consistent: false }), Just(Balance::Hash { consistent: true }),
            Just(Balance::Random { two: false }), Just(Balance::Random { two: true }),
        ],
        endpoints in prop::collection::vec((1u32..5, 0u32..3, 0u32..3, any::<bool>()), 1..8),
        steps in prop::collection::vec((any::<u16>(), 0u8..4, 0u64..4000), 1..200),
    ) {
        let settings: Vec<_> = endpoints.iter().enumerate().map(|(at, (weight, max_conns, max_fails, down))| {
            EndpointSettings { max_conns: *max_conns, max_fails: *max_fails, down: *down, ..named(&format!("10.0.0.{at}:80")) }
                .clone_with_weight(*weight)
        }).collect();
        let mut upstream = Upstream::new(balance, settings.clone(), 7);
        let mut now = Instant::now();
        let mut open: Vec<policy::EndpointId> = Vec::new();
        for (choice, action, pause) in steps {
            now += Duration::from_millis(pause);
            if action == 0 || open.is_empty() {
                let mut tried = Tried::default();
                if let Some(first) = open.first() { tried.insert(*first); }
                let single = settings.len() == 1;
                if let Ok(id) = upstream.pick(&Pick { now, tried: &tried, key: &choice.to_le_bytes() }) {
                    let picked = &settings[id.index()];
                    prop_assert!(!picked.down);
                    prop_assert!(single || !tried.contains(id));
                    open.push(id);
                    let active = open.iter().filter(|other| **other == id).count() as u32;
                    prop_assert!(picked.max_conns == 0 || active <= picked.max_conns);
                }
            } else {
                let id = open.swap_remove(usize::from(choice) % open.len());
                let outcome = [Outcome::Success, Outcome::Failure, Outcome::Neutral][usize::from(action) - 1];
                upstream.finish(id, outcome, now);
            }
            for id in &open {
                prop_assert_eq!(upstream.active(*id), open.iter().filter(|other| *other == id).count() as u32);
            }
        }
    }

    #[test]
    fn shares_over_a_cycle_are_exactly_the_weights(weights in prop::collection::vec(1u32..20, 2..8)) {
        let mut upstream = Upstream::new(Balance::RoundRobin, weights.iter().map(|weight| endpoint(*weight)).collect(), 1);
        let picks = sequence(&mut upstream, weights.iter().sum::<u32>() as usize);
        for (at, weight) in weights.iter().enumerate() {
            prop_assert_eq!(picks.iter().filter(|pick| **pick == at).count() as u32, *weight);
        }
    }
}

trait WithWeight {
    fn clone_with_weight(self, weight: u32) -> Self;
}

impl WithWeight for EndpointSettings {
    fn clone_with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }
}
