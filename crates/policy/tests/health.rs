//! `max_fails` and `fail_timeout` as nginx counts them (ngx_http_upstream_module, `server`), in virtual time.
//! Not here: what counts as a failure (`retry.rs`).

mod world;

use std::time::{Duration, Instant};

use policy::{Balance, EndpointId, EndpointSettings, Outcome, Pick, Refusal, Tried, Upstream, Watch};
use world::{World, backup, down, endpoint, weighing};

const SECOND: Duration = Duration::from_secs(1);

fn failing(max_fails: u32) -> EndpointSettings {
    EndpointSettings { max_fails, ..endpoint() }
}

#[test]
fn max_fails_failures_take_an_endpoint_out_for_fail_timeout() {
    for max_fails in 1..4 {
        let mut world = World::turns(vec![failing(max_fails), endpoint()]);
        let asked = world.attempts(20, 'a');
        assert_eq!(asked.matches('a').count() as u32, max_fails, "{asked}");
        world.wait(10 * SECOND);
        assert_eq!(world.attempts(4, 'a'), "bbbb", "the time is not over yet");
        world.wait(Duration::from_millis(1));
        assert!(world.attempts(4, 'a').contains('a'));
    }
}

#[test]
fn the_failure_that_takes_it_out_says_so_once() {
    let mut world = World::turns(vec![failing(3), down(), failing(3)]);
    let mut said = Vec::new();
    for _ in 0..6 {
        let (letter, id) = world.hold().unwrap();
        if world.finish(id, Outcome::Failure) {
            said.push(letter);
        }
    }
    said.sort_unstable();
    assert_eq!(said, ['a', 'c']);
}

#[test]
fn after_fail_timeout_one_attempt_is_the_trial() {
    let mut world = World::turns(vec![endpoint(), endpoint()]);
    assert_eq!(world.attempts(2, 'a'), "ab");
    world.wait(11 * SECOND);
    let held: Vec<_> = (0..4).filter_map(|_| world.hold()).collect();
    let letters: String = held.iter().map(|(letter, _)| letter).collect();
    assert_eq!(letters.matches('a').count(), 1, "{letters}: nobody else while the trial runs");
}

#[test]
fn a_trial_that_works_brings_it_back_and_one_that_fails_does_not() {
    for (outcome, back) in [(Outcome::Success, true), (Outcome::Failure, false), (Outcome::Neutral, false)] {
        let mut world = World::turns(vec![endpoint(), endpoint()]);
        assert_eq!(world.attempts(2, 'a'), "ab");
        world.wait(11 * SECOND);
        let trial = (0..4).filter_map(|_| world.hold()).find(|(letter, _)| *letter == 'a');
        world.finish(trial.unwrap().1, outcome);
        world.wait(SECOND);
        assert_eq!(world.succeed(6).contains('a'), back, "{outcome:?}");
    }
}

// A success forgets failures only once a window has passed: failures and successes that alternate still add up.
#[test]
fn a_success_within_the_window_forgets_nothing() {
    let mut world = World::turns(vec![failing(2), down()]);
    for outcome in [Outcome::Failure, Outcome::Success, Outcome::Success, Outcome::Failure] {
        assert_eq!(world.attempt(outcome), 'a');
    }
    assert_eq!(world.succeed(1), "-");
}

#[test]
fn a_success_after_the_window_forgets_the_failures_before_it() {
    let mut world = World::turns(vec![failing(2), down()]);
    assert_eq!(world.attempt(Outcome::Failure), 'a');
    world.wait(11 * SECOND);
    assert_eq!(world.attempt(Outcome::Success), 'a');
    assert_eq!(world.attempt(Outcome::Failure), 'a');
    assert_eq!(world.succeed(2), "aa", "one failure of two");
}

#[test]
fn a_late_verdict_on_an_old_attempt_counts_when_it_comes() {
    let mut world = World::turns(vec![endpoint(), endpoint()]);
    let (letter, slow) = world.hold().unwrap();
    assert_eq!(letter, 'a');
    world.wait(100 * SECOND);
    assert!(world.finish(slow, Outcome::Failure));
    world.wait(10 * SECOND);
    assert_eq!(world.succeed(3), "bbb");
}

#[test]
fn without_max_fails_nothing_takes_an_endpoint_out() {
    let mut world = World::turns(vec![failing(0), endpoint()]);
    assert_eq!(world.attempts(8, 'a'), "abababab");
}

#[test]
fn without_fail_timeout_a_failure_lasts_for_the_moment() {
    let settings = EndpointSettings { fail_timeout: Duration::ZERO, ..endpoint() };
    let mut world = World::turns(vec![settings, endpoint()]);
    assert_eq!(world.attempts(4, 'a'), "abbb");
    world.wait(Duration::from_millis(1));
    assert!(world.succeed(4).contains('a'));
}

#[test]
fn what_says_nothing_about_the_endpoint_changes_nothing() {
    let mut world = World::turns(vec![endpoint(), endpoint()]);
    assert_eq!((0..6).map(|_| world.attempt(Outcome::Neutral)).collect::<String>(), "ababab");
}

// nginx: a group of one is exempt, as there is nobody to turn to. One with a backup, or with one that is down, is not.
#[test]
fn a_group_of_one_is_never_out() {
    let mut alone = World::turns(vec![endpoint()]);
    for _ in 0..3 {
        let (_, id) = alone.hold().unwrap();
        assert!(!alone.finish(id, Outcome::Failure));
    }
    let mut with_backup = World::turns(vec![endpoint(), backup()]);
    assert_eq!(with_backup.attempts(4, 'a'), "abbb");
    let mut with_one_down = World::turns(vec![endpoint(), down()]);
    assert_eq!(with_one_down.attempts(3, 'a'), "a--");
}

#[test]
fn a_group_of_one_may_still_be_down_or_full() {
    assert_eq!(World::turns(vec![down()]).succeed(1), "-");
    let mut full = World::turns(vec![EndpointSettings { max_conns: 1, ..endpoint() }]);
    assert!(full.hold().is_some() && full.hold().is_none());
}

// A failure takes weight / max_fails off, and a turn gives one back: who fails now and then gets less for a while.
#[test]
fn a_failure_lowers_the_weight_and_turns_restore_it() {
    let group = || vec![EndpointSettings { max_fails: 2, ..weighing(8) }, weighing(2)];
    assert_eq!(World::turns(group()).succeed(10), "aabaaaabaa");
    let mut world = World::turns(group());
    assert_eq!(world.attempt(Outcome::Failure), 'a');
    assert_eq!(world.succeed(5), "baaab");
    assert_eq!(world.succeed(10).matches('b').count(), 2);
}

#[test]
fn every_method_passes_over_who_is_out() {
    for balance in [
        Balance::RoundRobin,
        Balance::LeastConn,
        Balance::IpHash,
        Balance::Hash { consistent: false },
        Balance::Hash { consistent: true },
        Balance::Random { two: false },
        Balance::Random { two: true },
    ] {
        let mut world = World::new(balance, vec![world::named("a"), world::named("b"), world::named("c")]);
        let key = b"key";
        let home = world.begin(key, &policy::Tried::default()).unwrap();
        assert!(world.finish(home, Outcome::Failure));
        for _ in 0..50 {
            assert_ne!(world.home(key), world::letter(home), "{balance:?}");
        }
    }
}

#[test]
fn full_endpoints_are_told_from_dead_ones() {
    let now = Instant::now();
    let refusal = |endpoints: Vec<EndpointSettings>, tried: &[usize]| {
        let mut upstream = Upstream::new(Balance::RoundRobin, endpoints, 1);
        let nothing = Tried::default();
        upstream.pick(&Pick { now, tried: &nothing, key: b"", watch: policy::Watch::Off }).unwrap();
        let mut all = Tried::default();
        tried.iter().for_each(|index| all.insert(EndpointId::from_index(*index)));
        upstream.pick(&Pick { now, tried: &all, key: b"", watch: policy::Watch::Off }).unwrap_err()
    };
    let full = EndpointSettings { max_conns: 1, ..endpoint() };
    assert_eq!(refusal(vec![full.clone()], &[]), Refusal::AllFull);
    assert_eq!(refusal(vec![full.clone(), down()], &[]), Refusal::AllFull);
    assert_eq!(refusal(vec![full.clone(), down()], &[0]), Refusal::NoLiveEndpoints, "tried ones do not count");
    assert_eq!(refusal(vec![endpoint(), down()], &[0]), Refusal::NoLiveEndpoints);
}

#[test]
fn who_is_barred_by_probes_is_asked_by_nobody_and_counts_as_no_room_either() {
    let now = Instant::now();
    for (count, replayable) in [(1, None), (2, None), (2, Some(true)), (2, Some(false))] {
        let mut upstream = Upstream::new(Balance::RoundRobin, vec![endpoint(); count], 1);
        let watch = replayable.map_or(Watch::Off, |replayable| Watch::On { replayable });
        let tried = Tried::default();
        let pick = Pick { now, tried: &tried, key: b"", watch };
        for index in 0..count {
            assert!(upstream.pick(&pick).is_ok(), "somebody serves");
            upstream.bar(EndpointId::from_index(index), true);
            assert!(!upstream.is_live(EndpointId::from_index(index), now));
        }
        assert_eq!(upstream.pick(&pick), Err(Refusal::NoLiveEndpoints));
        upstream.bar(EndpointId::from_index(0), false);
        assert_eq!(upstream.pick(&pick), Ok(EndpointId::from_index(0)));
    }
}
