//! Whom each balancing method picks: sequences worked out by hand, and picks that nginx 1.22 made of the same groups.
//! Not here: any sequence at all beside the model (`properties.rs`), and health (`health.rs`).

mod world;

use std::time::Duration;

use policy::{Balance, EndpointSettings, Outcome, Tried};
use world::{World, backup, down, endpoint, named, weighing};

const RING: Balance = Balance::Hash { consistent: true };
const HASH: Balance = Balance::Hash { consistent: false };

fn weighted(weights: &[u32]) -> Vec<EndpointSettings> {
    weights.iter().copied().map(weighing).collect()
}

/// Never out, as these groups are asked until nobody is left.
fn tireless(settings: EndpointSettings) -> EndpointSettings {
    EndpointSettings { max_fails: 0, ..settings }
}

// ngx_http_upstream_module, `server`: 5, 1, 1 is a a b a c a a and not a a a a a b c.
#[test]
fn turns_are_spread_smoothly() {
    for (weights, turns) in [
        (&[5, 1, 1][..], "aabacaa"),
        (&[1, 1, 1], "abc"),
        (&[3, 1], "aaba"),
        (&[2, 3], "babab"),
        (&[4, 2, 1], "abacaba"),
        (&[1, 2, 3, 4], "dcbdacdbcd"),
    ] {
        let mut world = World::turns(weighted(weights));
        assert_eq!(world.succeed(2 * turns.len()), turns.repeat(2), "{weights:?}");
    }
}

#[test]
fn endpoints_that_are_down_have_no_turn() {
    let mut world = World::turns(vec![endpoint(), down(), endpoint()]);
    assert_eq!(world.succeed(4), "acac");
    let mut world = World::turns(vec![down(), down()]);
    assert_eq!(world.succeed(1), "-");
}

#[test]
fn a_full_endpoint_is_passed_over_until_an_attempt_ends() {
    let full = EndpointSettings { max_conns: 2, weight: 100, ..endpoint() };
    let mut world = World::turns(vec![full, endpoint()]);
    let held: Vec<_> = (0..4).filter_map(|_| world.hold()).collect();
    assert_eq!(held.iter().map(|(letter, _)| letter).collect::<String>(), "aabb");
    world.finish(held[0].1, Outcome::Neutral);
    assert_eq!(world.succeed(2), "aa");
}

#[test]
fn where_everybody_is_full_nobody_serves() {
    let full = || EndpointSettings { max_conns: 1, ..endpoint() };
    for group in [vec![full()], vec![full(), full()]] {
        let mut world = World::turns(group.clone());
        group.iter().for_each(|_| assert!(world.hold().is_some()));
        assert!(world.hold().is_none());
    }
}

#[test]
fn an_exchange_asks_everybody_once_and_backups_last() {
    let group = vec![weighing(2), backup(), endpoint(), EndpointSettings { weight: 2, ..backup() }, down()];
    assert_eq!(World::turns(group.clone()).fail_over(b""), "acdb");
    assert_eq!(World::turns(group.clone()).upstream.tries(), 4);
    assert_eq!(World::new(Balance::LeastConn, group).fail_over(b""), "acdb");
}

#[test]
fn backups_serve_only_where_no_other_may() {
    let mut world = World::turns(vec![endpoint(), backup(), backup()]);
    assert_eq!(world.succeed(3), "aaa");
    assert_eq!(world.attempt(Outcome::Failure), 'a');
    assert_eq!(world.succeed(4), "bcbc");
    let full = EndpointSettings { max_conns: 1, ..endpoint() };
    let mut world = World::turns(vec![full, backup()]);
    assert_eq!((world.hold().map(|held| held.0), world.succeed(2).as_str()), (Some('a'), "bb"));
    assert_eq!(World::turns(vec![down(), backup()]).succeed(1), "b");
}

#[test]
fn least_conn_prefers_who_has_least_in_hand_for_its_weight() {
    let mut world = World::new(Balance::LeastConn, weighted(&[2, 1]));
    let held: String = (0..9).filter_map(|_| world.hold()).map(|(letter, _)| letter).collect();
    assert_eq!(held, "ababaaaba", "two to one, whenever loads differ; turns where they do not");
    let mut world = World::new(Balance::LeastConn, weighted(&[1, 1, 1]));
    let (_, first) = world.hold().unwrap();
    assert_eq!(world.succeed(4), "bcbc");
    world.finish(first, Outcome::Success);
    assert!(world.succeed(3).contains('a'));
}

#[test]
fn least_conn_takes_turns_among_equals_by_weight() {
    let mut world = World::new(Balance::LeastConn, weighted(&[3, 1]));
    assert_eq!(world.succeed(8), "aabaaaba");
}

/// Keys and whom nginx asked, first to last, as its `$upstream_addr` showed.
fn assert_asks(balance: Balance, group: &[EndpointSettings], asked: &[(Vec<u8>, &str)]) {
    for (key, order) in asked {
        let mut world = World::new(balance, group.to_vec());
        assert_eq!(&world.fail_over(key), order, "{}", key.escape_ascii());
    }
}

fn uris(asked: &[(&str, &'static str)]) -> Vec<(Vec<u8>, &'static str)> {
    asked.iter().map(|(uri, order)| (uri.as_bytes().to_vec(), *order)).collect()
}

#[test]
fn consistent_hashing_asks_whom_nginx_asks() {
    let group = [
        named("127.9.9.1:1"),
        EndpointSettings { weight: 3, ..named("127.9.9.2:1") },
        named("127.9.9.3"),
        named("unix:/nowhere/one.sock"),
    ]
    .map(tireless);
    let asked = [
        ("/a", "dbca"),
        ("/b", "abdc"),
        ("/c", "badc"),
        ("/d", "bdca"),
        ("/e", "bdca"),
        ("/f", "badc"),
        ("/g", "bdac"),
        ("/h", "cbda"),
        ("/i", "cabd"),
        ("/j", "dcab"),
        ("/k", "abdc"),
        ("/l", "cdba"),
        ("/m", "dbac"),
        ("/n", "bdca"),
        ("/o", "bcda"),
        ("/p", "cbda"),
        ("/q", "acbd"),
        ("/r", "acbd"),
        ("/s", "cbad"),
        ("/t", "cbda"),
    ];
    assert_asks(RING, &group, &uris(&asked));
}

#[test]
fn hashing_asks_whom_nginx_asks() {
    let group = [endpoint(), weighing(3), weighing(2), down()].map(tireless);
    let asked = [
        ("/a", "abc"),
        ("/b", "bca"),
        ("/c", "abc"),
        ("/d", "abc"),
        ("/e", "abc"),
        ("/f", "bac"),
        ("/g", "cab"),
        ("/h", "cba"),
        ("/i", "bca"),
        ("/j", "bca"),
        ("/k", "cba"),
        ("/l", "cab"),
        ("/m", "bca"),
        ("/n", "cab"),
        ("/o", "cba"),
        ("/p", "bac"),
        ("/q", "cba"),
        ("/r", "cba"),
        ("/s", "cba"),
        ("/t", "acb"),
    ];
    assert_asks(HASH, &group, &uris(&asked));
}

// The first three bytes of an IPv4 address are the key, or a whole IPv6 address.
#[test]
fn ip_hash_asks_whom_nginx_asks() {
    let group = [endpoint(), weighing(3), weighing(2), down(), endpoint()].map(tireless);
    let documentation = |last: u8| [&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 11], &[last]].concat();
    let asked = [
        (vec![10, 0, 0], "cbae"),
        (vec![10, 0, 1], "baec"),
        (vec![192, 168, 1], "bcea"),
        (vec![203, 0, 113], "abce"),
        (vec![8, 8, 8], "ebac"),
        (vec![1, 1, 1], "cbae"),
        (vec![172, 16, 5], "aecb"),
        (vec![127, 0, 0], "acbe"),
        (documentation(1), "abce"),
        (documentation(2), "baec"),
        ([&[0xfe, 0x80][..], &[0; 13], &[1]].concat(), "bcae"),
    ];
    assert_asks(Balance::IpHash, &group, &asked);
}

#[test]
fn an_empty_key_takes_turns() {
    for balance in [HASH, RING] {
        let mut world = World::new(balance, vec![named("a"), named("b"), named("c")]);
        assert_eq!(world.succeed(6), "abcabc");
    }
}

// A name with several addresses is one place on the ring: keys stay when addresses come and go.
#[test]
fn addresses_of_one_name_share_a_place_and_take_turns() {
    let mut one = World::new(RING, vec![named("app:80"), named("other:80")]);
    let mut two = World::new(RING, vec![named("app:80"), named("other:80"), named("app:80")]);
    let mut served = String::new();
    for key in 0..100u32 {
        let key = key.to_string();
        let (alone, shared) = (one.home(key.as_bytes()), two.home(key.as_bytes()));
        assert_eq!(alone == 'b', shared == 'b', "{key}");
        served.push(shared);
    }
    let count = |letter| served.chars().filter(|served| *served == letter).count();
    assert!(count('a').abs_diff(count('c')) <= 1 && count('a') > 0);
}

fn ports(count: u32) -> Vec<EndpointSettings> {
    (1..=count).map(|port| named(&format!("127.0.0.1:{port}"))).collect()
}

fn homes(endpoints: Vec<EndpointSettings>) -> String {
    let mut world = World::new(RING, endpoints);
    (0..2000u32).map(|key| world.home(key.to_string().as_bytes())).collect()
}

#[test]
fn the_ring_moves_only_the_keys_of_who_leaves_or_comes() {
    let five = homes(ports(5));
    let mut without_last = ports(5);
    without_last[4].down = true;
    for (before, after) in five.chars().zip(homes(without_last).chars()) {
        assert!(before == 'e' || before == after);
    }
    let six = homes(ports(6));
    let moved = five.chars().zip(six.chars()).filter(|(before, after)| before != after);
    let moved: Vec<char> = moved.map(|(_, after)| after).collect();
    assert!(moved.iter().all(|after| *after == 'f'), "only to the one that came");
    assert!((150..700).contains(&moved.len()), "about a sixth of 2000, not {}", moved.len());
}

#[test]
fn the_ring_spreads_keys_by_weight() {
    let mut endpoints = ports(4);
    endpoints[0].weight = 3;
    let homes = homes(endpoints);
    let share = |letter| homes.chars().filter(|home| *home == letter).count();
    assert!((800..1200).contains(&share('a')), "about half of 2000, not {}", share('a'));
    for letter in ['b', 'c', 'd'] {
        assert!((200..500).contains(&share(letter)), "about a sixth of 2000, not {}", share(letter));
    }
}

#[test]
fn chance_meets_everybody_and_nobody_twice() {
    for two in [false, true] {
        let mut world = World::new(Balance::Random { two }, vec![endpoint(), endpoint(), down(), endpoint()]);
        let mut asked: Vec<char> = world.fail_over(b"").chars().collect();
        asked.sort_unstable();
        assert_eq!(asked, ['a', 'b', 'd']);
    }
}

/// With one draw the fullest of four is 4 × √(100/4) ahead now and then; with two, loads stay together.
#[test]
fn of_two_draws_the_less_loaded_serves() {
    let spread = |two| {
        let mut world = World::new(Balance::Random { two }, weighted(&[1, 1, 1, 1]));
        let ids: Vec<_> = (0..400).filter_map(|_| world.begin(b"", &Tried::default())).collect();
        let loads = ids.iter().map(|id| world.upstream.active(*id));
        loads.clone().max().unwrap() - loads.min().unwrap()
    };
    assert!(spread(true) <= 4, "{}", spread(true));
    assert!(spread(false) > spread(true));
}

/// One attempt after another, each as long as its endpoint takes; how many each of the ten got.
fn shares(world: &mut World, attempts: usize, takes: impl Fn(usize) -> Duration) -> [usize; 10] {
    let mut shares = [0; 10];
    for _ in 0..attempts {
        let Some((_, id)) = world.hold() else { panic!("nobody serves") };
        let took = takes(id.index());
        world.wait(took);
        world.answered(id, took);
        world.finish(id, Outcome::Success);
        shares[id.index()] += 1;
    }
    shares
}

#[test]
fn ewma_leaves_a_slow_endpoint_alone_after_one_answer_and_tries_it_again_when_that_is_long_ago() {
    let mut world = World::new(Balance::Ewma, (0..10).map(|_| endpoint()).collect());
    let (quick, slow) = (Duration::from_millis(1), Duration::from_millis(200));
    let even = shares(&mut world, 1000, |_| quick);
    assert!(even.iter().all(|share| *share > 20), "{even:?}");
    let one_slow = shares(&mut world, 1000, |at| if at == 3 { slow } else { quick });
    assert!(one_slow[3] <= 1, "{one_slow:?}");
    world.wait(Duration::from_secs(120));
    let recovered = shares(&mut world, 1000, |_| quick);
    assert!(recovered[3] > 20, "{recovered:?}");
}

#[test]
fn ewma_sees_silence_before_there_is_an_answer() {
    let mut world = World::new(Balance::Ewma, vec![endpoint(), endpoint()]);
    let quick = Duration::from_millis(1);
    for _ in 0..10 {
        let (_, id) = world.hold().unwrap();
        world.wait(quick);
        world.answered(id, quick);
        world.finish(id, Outcome::Success);
    }
    let (letter, _hangs) = world.hold().unwrap();
    world.wait(Duration::from_millis(20));
    let other = if letter == 'a' { 'b' } else { 'a' };
    let seen: String = (0..50).map(|_| world.attempt(Outcome::Success)).collect();
    assert_eq!(seen, other.to_string().repeat(50));
}
