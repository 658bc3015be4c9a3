//! Who leaves the rotation beyond nginx's counts, and how it comes back, in virtual time: stories, drawn sequences with
//! invariants after each step, and a fleet. Not here: nginx's counts (`health.rs`).

mod world;

use std::time::{Duration, Instant};

use policy::health::{EjectSettings, Ejected, Reason, Sample};
use policy::{Balance, EndpointId, EndpointSettings, Outcome, Pick, Tried, Upstream, Watch};
use proptest::prelude::*;
use world::{down, endpoint};

const SECOND: Duration = Duration::from_secs(1);

const GOOD: Sample = Sample { outcome: Outcome::Success, unreachable: false, latency: None };
const BAD: Sample = Sample { outcome: Outcome::Failure, unreachable: false, latency: None };
const REFUSED: Sample = Sample { outcome: Outcome::Failure, unreachable: true, latency: None };
const LOCAL: Sample = Sample { outcome: Outcome::Neutral, unreachable: false, latency: None };

fn unwritten() -> EndpointSettings {
    EndpointSettings { max_fails_written: false, ..endpoint() }
}

/// Endpoints without `max_fails`, and those who ask them.
struct Fleet {
    upstream: Upstream,
    settings: EjectSettings,
    now: Instant,
}

impl Fleet {
    fn of(endpoints: Vec<EndpointSettings>) -> Self {
        let upstream = Upstream::new(Balance::RoundRobin, endpoints, 1);
        Self { upstream, settings: EjectSettings::default(), now: Instant::now() }
    }

    fn new(count: usize) -> Self {
        Self::of(vec![unwritten(); count])
    }

    fn pick(&mut self, replayable: bool) -> Option<EndpointId> {
        let watch = Watch::On { replayable };
        self.upstream.pick(&Pick { now: self.now, tried: &Tried::default(), key: b"", watch }).ok()
    }

    fn finish(&mut self, id: EndpointId, sample: &Sample) -> Option<Ejected> {
        self.upstream.finish_watched(id, &self.settings, sample, self.now)
    }

    /// One attempt; whom it went to, and whether that left.
    fn attempt(&mut self, sample: impl Fn(usize) -> Sample) -> (usize, Option<Ejected>) {
        let id = self.pick(true).expect("somebody serves");
        (id.index(), self.finish(id, &sample(id.index())))
    }

    /// Attempts until one takes its endpoint out.
    fn until_ejected(&mut self, sample: impl Fn(usize) -> Sample) -> (usize, Ejected) {
        for _ in 0..10_000 {
            if let (id, Some(ejected)) = self.attempt(&sample) {
                return (id, ejected);
            }
        }
        panic!("nobody left");
    }

    /// Who is asked in so many attempts that go well.
    fn asked(&mut self, times: usize) -> Vec<usize> {
        (0..times).map(|_| self.attempt(|_| GOOD).0).collect()
    }

    fn is_in(&self, index: usize) -> bool {
        self.upstream.is_in(EndpointId::from_index(index))
    }
}

/// The first endpoint fails so, the others are well.
fn first(sample: Sample) -> impl Fn(usize) -> Sample {
    move |index| if index == 0 { sample } else { GOOD }
}

#[test]
fn an_endpoint_that_takes_no_connections_leaves_at_once() {
    let mut fleet = Fleet::new(3);
    assert_eq!(fleet.attempt(first(REFUSED)), (0, Some(Ejected { reason: Reason::Unreachable, time: 5 * SECOND })));
    assert!(!fleet.asked(20).contains(&0));
}

#[test]
fn what_cannot_be_sent_twice_goes_to_those_that_have_not_failed_lately() {
    let mut fleet = Fleet::new(3);
    let fail_one = |fleet: &mut Fleet| {
        let id = fleet.pick(true).unwrap();
        assert_eq!(fleet.finish(id, &BAD), None);
        id
    };
    let asked_once = |fleet: &mut Fleet| -> Vec<EndpointId> {
        let ask = |_| {
            let id = fleet.pick(false).unwrap();
            fleet.finish(id, &GOOD);
            id
        };
        (0..30).map(ask).collect()
    };
    let failed = fail_one(&mut fleet);
    assert!(!asked_once(&mut fleet).contains(&failed));
    assert!(fleet.asked(30).contains(&failed.index()), "it is asked for what can be sent again");
    fleet.now += 5 * SECOND;
    assert!(asked_once(&mut fleet).contains(&failed));
    for _ in 0..3 {
        fail_one(&mut fleet);
    }
    let (all, one) = (asked_once(&mut fleet), EndpointId::from_index(0));
    assert!(all.contains(&one) && all.iter().any(|id| *id != one), "where all have failed they take turns as before");
}

#[test]
fn five_failures_in_a_row_do_and_four_do_not() {
    let mut fleet = Fleet::new(2);
    for _ in 0..4 {
        let id = loop {
            let id = fleet.pick(true).unwrap();
            if id.index() == 0 {
                break id;
            }
            fleet.finish(id, &GOOD);
        };
        assert_eq!(fleet.finish(id, &BAD), None);
    }
    let (id, ejected) = fleet.until_ejected(first(BAD));
    assert_eq!((id, ejected.reason), (0, Reason::Consecutive(5)));
}

#[test]
fn half_of_twenty_attempts_do_without_five_in_a_row() {
    let mut fleet = Fleet::new(2);
    let mut count = 0;
    let left = (0..200).find_map(|_| {
        let id = fleet.pick(true).unwrap();
        count += usize::from(id.index() == 0);
        let sample = if id.index() == 0 && count.is_multiple_of(2) { BAD } else { GOOD };
        fleet.finish(id, &sample)
    });
    assert_eq!((left.unwrap().reason, count), (Reason::Failing(50), 20));
}

#[test]
fn one_that_answers_far_slower_than_the_others_leaves() {
    let mut fleet = Fleet::new(4);
    let took = |millis| Sample { latency: Some(Duration::from_millis(millis)), ..GOOD };
    let (id, ejected) = fleet.until_ejected(|index| took(if index == 2 { 900 } else { 20 }));
    assert_eq!((id, ejected.reason), (2, Reason::Slow));
    let mut fleet = Fleet::new(4);
    for _ in 0..1000 {
        let (_, ejected) = fleet.attempt(|index| took(if index == 2 { 90 } else { 2 }));
        assert_eq!(ejected, None, "a tenth of a second is never slow");
    }
    let mut fleet = Fleet::new(4);
    for _ in 0..1000 {
        assert_eq!(fleet.attempt(|_| took(2000)).1, None, "nobody is slow where everybody is");
    }
}

#[test]
fn what_is_no_fault_of_the_endpoint_never_counts() {
    let mut fleet = Fleet::new(3);
    for _ in 0..1000 {
        assert_eq!(fleet.attempt(|_| LOCAL).1, None);
    }
    assert_eq!(fleet.asked(3), [1, 2, 0]);
}

#[test]
fn after_its_time_one_request_that_can_be_sent_again_is_the_trial() {
    let mut fleet = Fleet::new(2);
    fleet.attempt(first(REFUSED));
    fleet.now += 5 * SECOND;
    let picks: Vec<usize> = (0..4).map(|_| fleet.pick(false).unwrap().index()).collect();
    assert_eq!(picks, [1; 4], "nothing that cannot be repeated");
    let trials: Vec<usize> = (0..6).map(|_| fleet.pick(true).unwrap().index()).collect();
    assert_eq!(trials.iter().filter(|index| **index == 0).count(), 1, "{trials:?}");
    fleet.finish(EndpointId::from_index(0), &GOOD);
    assert!(fleet.asked(4).contains(&0));
}

#[test]
fn a_trial_that_hangs_or_says_nothing_makes_way_for_another() {
    for ends in [true, false] {
        let mut fleet = Fleet::new(2);
        fleet.attempt(first(REFUSED));
        fleet.now += 5 * SECOND;
        while fleet.pick(true).unwrap().index() != 0 {}
        if ends {
            fleet.finish(EndpointId::from_index(0), &LOCAL);
        } else {
            fleet.now += 5 * SECOND;
        }
        assert!((0..4).any(|_| fleet.pick(true).unwrap().index() == 0));
    }
}

#[test]
fn an_endpoint_that_accepts_connections_again_is_tried_at_once() {
    let mut fleet = Fleet::new(2);
    fleet.attempt(first(REFUSED));
    fleet.upstream.readmit(EndpointId::from_index(0), fleet.now);
    assert!(!fleet.is_in(0));
    assert!(fleet.asked(4).contains(&0));
    assert!(fleet.is_in(0));
}

#[test]
fn each_ejection_is_twice_as_long_and_good_behaviour_is_rewarded() {
    let mut fleet = Fleet::new(2);
    let mut times = Vec::new();
    for _ in 0..7 {
        let time = fleet.until_ejected(first(REFUSED)).1.time;
        times.push(time.as_secs());
        fleet.now += time;
    }
    assert_eq!(times, [5, 10, 20, 40, 80, 120, 120]);
    fleet.asked(4);
    assert!(fleet.is_in(0));
    fleet.now += 120 * 7 * SECOND;
    assert_eq!(fleet.until_ejected(first(REFUSED)).1.time, 5 * SECOND);
}

#[test]
fn half_of_them_stay_whatever_happens_and_the_least_bad_serve_where_all_are_out() {
    let mut fleet = Fleet::new(10);
    for _ in 0..1000 {
        fleet.attempt(|_| REFUSED);
    }
    assert_eq!((0..10).filter(|index| fleet.is_in(*index)).count(), 5);
    let mut two = Fleet::of(vec![EndpointSettings { max_fails_written: true, ..endpoint() }; 2]);
    for _ in 0..10 {
        two.attempt(|_| REFUSED);
    }
    assert!(two.pick(true).is_some() && two.pick(false).is_some());
    assert!(Fleet::of(vec![down(), down()]).pick(true).is_none());
}

#[test]
fn one_alone_is_never_out() {
    let mut fleet = Fleet::new(1);
    for _ in 0..100 {
        assert_eq!(fleet.attempt(|_| REFUSED), (0, None));
    }
}

#[test]
fn who_does_not_ask_for_it_sees_no_ejections() {
    let mut fleet = Fleet::new(2);
    fleet.attempt(first(REFUSED));
    let tried = Tried::default();
    let pick = |fleet: &mut Fleet| {
        let pick = Pick { now: fleet.now, tried: &tried, key: b"", watch: Watch::Off };
        fleet.upstream.pick(&pick).unwrap().index()
    };
    assert!((0..4).any(|_| pick(&mut fleet) == 0));
}

#[test]
fn what_is_known_goes_with_an_endpoint_to_another_index() {
    let mut fleet = Fleet::new(3);
    fleet.attempt(first(REFUSED));
    let mut other = Fleet::new(2);
    let [zero, one] = [0, 1].map(EndpointId::from_index);
    other.now = fleet.now;
    other.upstream.adopt(one, &fleet.upstream, zero);
    assert!(other.upstream.is_unreachable(one) && !other.upstream.is_unreachable(zero));
    assert_eq!(other.asked(4), [0; 4]);
}

/// Minutes with a thousand endpoints of which some die and return: nobody who is well stays out.
#[test]
fn in_a_fleet_the_well_serve_and_the_dead_come_back() {
    let mut fleet = Fleet::new(1000);
    let mut failed = 0;
    for step in 0..40_000 {
        fleet.now += Duration::from_millis(10);
        let dead = step < 20_000;
        let (_, ejected) = fleet.attempt(|index| if dead && index.is_multiple_of(10) { REFUSED } else { GOOD });
        failed += usize::from(ejected.is_some());
        if step == 19_999 {
            assert!((0..1000).filter(|index| fleet.is_in(*index)).count() >= 900);
        }
    }
    // Each dead one is met once, and then once after 5, 10, 20, 40, 80 s at the most.
    assert!((100..=600).contains(&failed), "{failed}");
    assert!((0..1000).all(|index| fleet.is_in(index)));
}

/// The state of an endpoint as the whole history of verdicts says it.
#[derive(Default, Clone)]
struct Naive {
    /// When each ejection began, and its length.
    ejections: Vec<(Instant, Duration)>,
    out: bool,
    streak: u32,
}

proptest! {
    #[test]
    fn after_each_step_the_floor_is_kept_and_times_are_within_bounds(
        count in 2..12_usize,
        floor in 0..100_u32,
        steps in prop::collection::vec((0..4000_u64, 0..6_u8, any::<u8>(), any::<bool>()), 1..400),
    ) {
        let mut fleet = Fleet::new(count);
        fleet.settings = EjectSettings { floor, percent: 0, slow: 0, ..EjectSettings::default() };
        let mut naive = vec![Naive::default(); count];
        let mut under_way: Vec<EndpointId> = Vec::new();
        for (millis, kind, which, replayable) in steps {
            fleet.now += Duration::from_millis(millis / 8);
            if kind < 3 || under_way.is_empty() {
                let id = fleet.pick(replayable);
                prop_assert!(id.is_some(), "somebody always serves");
                under_way.extend(id);
                continue;
            }
            let id = under_way.swap_remove(usize::from(which) % under_way.len());
            let sample = [GOOD, BAD, REFUSED, LOCAL][usize::from(which >> 5) % 4];
            let was_out = !fleet.is_in(id.index());
            let ejected = fleet.finish(id, &sample);
            let model = &mut naive[id.index()];
            prop_assert_eq!(was_out, model.out);
            match sample.outcome {
                Outcome::Failure => model.streak += 1,
                Outcome::Success => model.streak = 0,
                Outcome::Neutral => prop_assert!(ejected.is_none(), "a local cause ejects nobody"),
            }
            if let Some(Ejected { time, .. }) = ejected {
                prop_assert!(sample.outcome == Outcome::Failure);
                prop_assert!(was_out || sample.unreachable || model.streak >= fleet.settings.failures);
                prop_assert!(time >= fleet.settings.time && time <= fleet.settings.longest);
                if let Some((began, last)) = model.ejections.last() {
                    prop_assert!(time <= *last * 2);
                    prop_assert!(time >= *last || fleet.now >= *began + *last, "shorter only after good behaviour");
                }
                model.ejections.push((fleet.now, time));
                model.out = true;
            } else if sample.outcome == Outcome::Success && was_out && fleet.is_in(id.index()) {
                model.out = false;
            }
            let out = (0..count).filter(|index| !fleet.is_in(*index)).count();
            let kept = (count * floor as usize).div_ceil(100).max(1);
            prop_assert!(out <= (count - kept).max(1), "{out} of {count} are out, {floor}% are to stay");
        }
        // Whoever is well from now on is back after the longest time, and one request.
        under_way.into_iter().for_each(|id| { fleet.finish(id, &LOCAL); });
        fleet.now += fleet.settings.longest * 2;
        fleet.asked(count * 4);
        prop_assert!((0..count).all(|index| fleet.is_in(index)));
    }
}
