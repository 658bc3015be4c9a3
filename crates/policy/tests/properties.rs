//! Drawn operations beside the naive model, and what holds for any settings. Virtual time, seeded chance.
//! Not here: particular sequences (`balancers.rs`, `health.rs`), and decisions about retries (`retry.rs`).

mod checks;

use std::time::{Duration, Instant};

use checks::{model, operations};
use policy::{Balance, EndpointSettings, Outcome, Pick, Tried, Upstream, share};
use proptest::prelude::*;

fn endpoint(weight: u32) -> EndpointSettings {
    EndpointSettings {
        weight,
        max_conns: 0,
        max_fails: 1,
        max_fails_written: true,
        fail_timeout: Duration::from_secs(10),
        backup: false,
        down: false,
        name: "127.0.0.1:80".into(),
    }
}

fn upstream(balance: Balance, weights: &[u32], seed: u64) -> Upstream {
    Upstream::new(balance, weights.iter().copied().map(endpoint).collect(), seed)
}

/// Whom exchanges one after another are sent to.
fn turns(upstream: &mut Upstream, count: usize) -> Vec<usize> {
    let now = Instant::now();
    let mut turn = || {
        let id = upstream.pick(&Pick { now, tried: &Tried::default(), key: b"", watch: policy::Watch::Off }).ok()?;
        upstream.finish(id, Outcome::Success, now);
        Some(id.index())
    };
    (0..count).filter_map(|_| turn()).collect()
}

/// Where nearly all of a group is down, the draws are used up: some keys are met by the very last one, some by none.
#[test]
fn draws_are_as_many_as_the_models() {
    let named = |at: u32, settings| EndpointSettings { name: format!("10.0.0.{at}:80").into(), ..settings };
    let group =
        [named(1, EndpointSettings { down: true, ..endpoint(25) }), named(2, endpoint(1)), named(3, endpoint(1))];
    for balance in [Balance::IpHash, Balance::Hash { consistent: false }, Balance::Hash { consistent: true }] {
        let mut upstream = Upstream::new(balance, group.to_vec(), 1);
        let mut naive = model::Model::new(balance, &group);
        let now = Instant::now();
        for key in 1..800u32 {
            let key = key.to_be_bytes();
            let id =
                upstream.pick(&Pick { now, tried: &Tried::default(), key: &key, watch: policy::Watch::Off }).unwrap();
            upstream.finish(id, Outcome::Neutral, now);
            assert_eq!(naive.pick(0, &[], &key), model::Choice::One(id.index()), "{balance:?} {key:?}");
        }
    }
}

#[test]
fn the_models_crc_is_the_one_of_iso_3309() {
    assert_eq!(model::crc32(b"123456789"), 0xcbf4_3926);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_method_does_what_the_model_does(data in prop::collection::vec(any::<u8>(), 3..400)) {
        operations::check(&data);
    }

    /// Much time and many failures, so that windows open and close.
    #[test]
    fn failures_are_counted_as_the_model_counts_them(
        kind in 0u8..56,
        settings in prop::collection::vec(any::<u8>(), 16),
        steps in prop::collection::vec((prop::sample::select(vec![0u8, 3, 4, 5, 6, 14]), any::<u8>()), 1..200),
    ) {
        let mut data = vec![kind];
        data.extend(settings);
        data.extend(steps.into_iter().flat_map(|(operation, argument)| [operation, argument]));
        operations::check(&data);
    }
}

proptest! {
    #[test]
    fn shares_over_a_cycle_are_exactly_the_weights(weights in prop::collection::vec(1u32..20, 2..8)) {
        let picks = turns(&mut upstream(Balance::RoundRobin, &weights, 1), weights.iter().sum::<u32>() as usize);
        for (at, weight) in weights.iter().enumerate() {
            prop_assert_eq!(picks.iter().filter(|pick| **pick == at).count() as u32, *weight);
        }
    }

    /// Smoothness: at no time is an endpoint ahead of its share by a whole turn, or behind it by one for each other.
    #[test]
    fn turns_are_never_far_from_the_weights(weights in prop::collection::vec(1u32..20, 2..8), count in 1usize..200) {
        let picks = turns(&mut upstream(Balance::RoundRobin, &weights, 1), count);
        let total: u32 = weights.iter().sum();
        for (at, weight) in weights.iter().enumerate() {
            let taken = picks.iter().filter(|pick| **pick == at).count() as f64;
            let due = count as f64 * f64::from(*weight) / f64::from(total);
            prop_assert!((taken - due).abs() < weights.len() as f64, "{taken} of {due}");
        }
    }

    /// The standard deviation of a share is below √n / 2; six of them are met once in a billion.
    #[test]
    fn chance_follows_the_weights(weights in prop::collection::vec(1u32..6, 2..5), seed in any::<u64>()) {
        let count = 2000;
        let picks = turns(&mut upstream(Balance::Random { two: false }, &weights, seed), count);
        let total: u32 = weights.iter().sum();
        for (at, weight) in weights.iter().enumerate() {
            let taken = picks.iter().filter(|pick| **pick == at).count() as f64;
            let due = count as f64 * f64::from(*weight) / f64::from(total);
            prop_assert!((taken - due).abs() < 3.0 * (count as f64).sqrt(), "{taken} of {due}");
        }
    }

    #[test]
    fn chance_repeats_itself_with_the_same_seed(seed in any::<u64>(), two in any::<bool>()) {
        let run = || turns(&mut upstream(Balance::Random { two }, &[1, 2, 3], seed), 50);
        prop_assert_eq!(run(), run());
    }

    /// A limit is divided without loss: parts differ by one at most, and sum to it unless workers are more than it.
    #[test]
    fn a_limit_is_divided_evenly(limit in 1u32..10_000, workers in 1usize..64) {
        let parts: Vec<u32> = (0..workers).map(|worker| share::of(limit, worker, workers)).collect();
        let (least, most) = (parts.iter().min(), parts.iter().max());
        prop_assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1 && *least >= 1));
        prop_assert_eq!(parts.iter().sum::<u32>(), limit.max(workers as u32));
        prop_assert!(parts.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn no_limit_and_no_workers_divide_to_something_that_works(limit in any::<u32>(), worker in any::<usize>()) {
        prop_assert_eq!(share::of(0, worker, 4), 0);
        prop_assert!(limit == 0 || share::of(limit, worker, 0) >= 1);
        prop_assert!(limit == 0 || share::of(limit, worker, usize::MAX) >= 1);
    }
}
