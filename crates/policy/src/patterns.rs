//! What one failure does not tell and several do: since when an endpoint refuses, at which age its workers die, which
//! address of a name is dead. Learned from attempts as they end; bounded, and forgotten when it is old.
//!
//! Not here: how long idle connections are kept, which has consequences ([`crate::reuse`]), and what one failure means.

use std::fmt;
use std::time::{Duration, Instant};

use crate::failure::{Cause, Failure, Seconds};
use crate::upstream::EndpointId;

/// What was seen counts for so long.
const MEMORY: Duration = Duration::from_secs(600);
/// Failures further apart than this are no crowd.
const CROWD: Duration = Duration::from_secs(60);
/// Who closes so soon has not looked for an answer.
const AT_ONCE: Duration = Duration::from_millis(200);
/// A connection that ends earlier says nothing about a time limit.
const LEAST_AGE: Duration = Duration::from_secs(1);

/// Where an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The server as configured: addresses of one name share it.
    pub server: usize,
    /// The kind of its address.
    pub family: Family,
}

/// The kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// A unix socket.
    Unix,
}

/// What several failures have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// No connection could be made since so long, so many times.
    Unreachable {
        /// Since the first failure behind the last success.
        since: Duration,
        /// Failures since then.
        times: u64,
    },
    /// Another address of the same name accepts: only this family fails.
    OnlyThisFamily(Family),
    /// The accept queue is full time and again.
    QueueFull {
        /// How often.
        times: u64,
        /// In how long.
        within: Duration,
    },
    /// It accepted another connection a short while ago: it is up, and too busy to accept.
    AcceptsOthers {
        /// How long ago.
        ago: Duration,
    },
    /// It has never answered, and closes fresh connections as soon as it has read the request.
    NeverAnswered {
        /// How many it closed, one after the other.
        times: u64,
    },
    /// Fresh connections end at the same age.
    DiesAt {
        /// The age.
        age: Duration,
        /// How many did, one after the other.
        times: u64,
    },
}

impl fmt::Display for Pattern {
    /// As a clause. How long ago is relative here: a clock can say it better.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Unreachable { since, times } => write!(f, "no connection for {}, {times} times", Seconds(*since)),
            Pattern::OnlyThisFamily(Family::V6) => f.write_str("only the IPv6 address fails, the IPv4 address accepts"),
            Pattern::OnlyThisFamily(_) => f.write_str("only the IPv4 address fails, the IPv6 address accepts"),
            Pattern::QueueFull { times, within } => {
                write!(f, "the accept queue was full {times} times in {}", Seconds(*within))
            }
            Pattern::AcceptsOthers { ago } => {
                write!(f, "it accepted another connection {} ago, so its accept queue may be full", Seconds(*ago))
            }
            Pattern::NeverAnswered { times } => {
                write!(f, "it has never answered and closed {times} connections at once: it may speak TLS or FastCGI")
            }
            Pattern::DiesAt { age, times } => {
                write!(f, "the last {times} fresh connections ended at this age: workers die after {}", Seconds(*age))
            }
        }
    }
}

/// What is known of the endpoints of one upstream.
#[derive(Debug)]
pub struct Patterns(Vec<Known>);

#[derive(Debug)]
struct Known {
    place: Place,
    /// When it last accepted a connection, or was asked on one.
    accepted: Option<Instant>,
    answered: bool,
    closed_at_once: u64,
    unreachable: Run,
    queue_full: Run,
    /// Fresh connections that ended before their time.
    died: Ages,
}

impl Patterns {
    /// Nothing is known yet of endpoints at these places, in the order of their ids.
    pub fn new(places: impl IntoIterator<Item = Place>) -> Self {
        let known = |place| Known {
            place,
            accepted: None,
            answered: false,
            closed_at_once: 0,
            unreachable: Run::default(),
            queue_full: Run::default(),
            died: Ages::default(),
        };
        Self(places.into_iter().map(known).collect())
    }

    /// An endpoint answered.
    pub fn succeeded(&mut self, endpoint: EndpointId, now: Instant) {
        let known = &mut self.0[endpoint.index()];
        known.answered = true;
        known.was_reached(now);
    }

    /// An attempt at an endpoint failed; what it has in common with others before.
    pub fn failed(&mut self, endpoint: EndpointId, failure: &Failure, now: Instant) -> Option<Pattern> {
        let other_family = self.other_family_accepts(endpoint, now);
        let known = &mut self.0[endpoint.index()];
        let family = known.place.family;
        match failure.cause {
            Cause::BacklogFull => {
                let (times, within) = known.queue_full.count(now, CROWD);
                (times > 1).then_some(Pattern::QueueFull { times, within })
            }
            Cause::ConnectTimeout if known.accepted_within(CROWD, now).is_some() => {
                known.accepted_within(CROWD, now).map(|ago| Pattern::AcceptsOthers { ago })
            }
            cause if is_unreachable(cause) => {
                let (times, since) = known.unreachable.count(now, Duration::MAX);
                match other_family {
                    true => Some(Pattern::OnlyThisFamily(family)),
                    false => (times > 1).then_some(Pattern::Unreachable { since, times }),
                }
            }
            cause => {
                known.was_reached_if(cause, now);
                let age = age_of_a_fresh_connection(failure)?;
                if age < LEAST_AGE {
                    return known.closed_after(age);
                }
                let times = known.died.count(age, now);
                (times > 1).then_some(Pattern::DiesAt { age, times })
            }
        }
    }

    /// Whether another address of the same name, of the other family, accepted lately.
    fn other_family_accepts(&self, endpoint: EndpointId, now: Instant) -> bool {
        let Place { server, family } = self.0[endpoint.index()].place;
        let is_other = |known: &&Known| known.place.server == server && known.place.family != family;
        self.0.iter().filter(is_other).any(|known| known.accepted_within(CROWD, now).is_some())
    }
}

impl Known {
    fn was_reached(&mut self, now: Instant) {
        self.accepted = Some(now);
        self.unreachable = Run::default();
    }

    /// A failure behind the connect proves that connecting works; one of our own proves nothing.
    fn was_reached_if(&mut self, cause: Cause, now: Instant) {
        use crate::failure::Phase::{AwaitHead, Body, Send, Tls};
        if matches!(cause.row().treatment.phase, Tls | Send | AwaitHead | Body) {
            self.was_reached(now);
        }
    }

    /// It closed a fresh connection after less than a second.
    fn closed_after(&mut self, age: Duration) -> Option<Pattern> {
        if self.answered || age > AT_ONCE {
            return None;
        }
        self.closed_at_once = self.closed_at_once.saturating_add(1);
        (self.closed_at_once > 1).then_some(Pattern::NeverAnswered { times: self.closed_at_once })
    }

    fn accepted_within(&self, span: Duration, now: Instant) -> Option<Duration> {
        self.accepted.map(|at| now.saturating_duration_since(at)).filter(|ago| *ago <= span)
    }
}

/// Whether no connection came about, by the endpoint's side.
fn is_unreachable(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::ConnectRefused
            | Cause::UnixSocketRefused
            | Cause::UnixSocketMissing
            | Cause::ConnectReset
            | Cause::ConnectTimeout
            | Cause::HostUnreachable
            | Cause::NetworkUnreachable
    )
}

/// How old a fresh connection was that the endpoint ended in the middle of an exchange.
fn age_of_a_fresh_connection(failure: &Failure) -> Option<Duration> {
    let ended = matches!(
        failure.cause,
        Cause::ClosedBeforeReply
            | Cause::ResetBeforeReply
            | Cause::ClosedWithinHead
            | Cause::BodyTruncated
            | Cause::ChunksTruncated
            | Cause::BodyReset
    );
    let history = failure.evidence().connection.filter(|history| ended && history.idled.is_none())?;
    Some(history.age)
}

/// Failures of one kind, one after the other.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    first: Option<Instant>,
    last: Option<Instant>,
    times: u64,
}

impl Run {
    /// Counts one more; how many there are now, and in how long. A pause longer than `apart` begins anew.
    fn count(&mut self, now: Instant, apart: Duration) -> (u64, Duration) {
        let goes_on = self.last.is_some_and(|last| now.saturating_duration_since(last) <= apart);
        let first = self.first.filter(|_| goes_on).unwrap_or(now);
        let times = if goes_on { self.times + 1 } else { 1 };
        *self = Self { first: Some(first), last: Some(now), times };
        (times, now.saturating_duration_since(first))
    }
}

/// Ages at which connections ended: how many in a row were alike.
#[derive(Debug, Clone, Copy, Default)]
struct Ages {
    last: Option<(Duration, Instant)>,
    times: u64,
}

impl Ages {
    fn count(&mut self, age: Duration, now: Instant) -> u64 {
        let alike = |(last, at): (Duration, Instant)| {
            let tolerance = age.mul_f64(0.03).max(Duration::from_millis(300));
            last.abs_diff(age) <= tolerance && now.saturating_duration_since(at) <= MEMORY
        };
        self.times = if self.last.is_some_and(alike) { self.times + 1 } else { 1 };
        self.last = Some((age, now));
        self.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{History, Phase};

    const SECOND: Duration = Duration::from_secs(1);
    const FIRST: EndpointId = EndpointId(0);
    const SECOND_ONE: EndpointId = EndpointId(1);

    fn patterns() -> Patterns {
        let place = |family| Place { server: 0, family };
        Patterns::new([place(Family::V4), place(Family::V6)])
    }

    fn refused() -> Failure {
        Failure::from_connect_errno(111, false)
    }

    fn ended(age: Duration, idled: Option<Duration>) -> Failure {
        let history = History { age, requests: 0, idled };
        Failure::from_io(Phase::AwaitHead, None, false).with(|evidence| evidence.connection = Some(history))
    }

    #[test]
    fn an_endpoint_refuses_since_its_first_refusal_behind_a_success() {
        let (mut patterns, now) = (patterns(), Instant::now());
        assert_eq!(patterns.failed(FIRST, &refused(), now), None);
        let again = patterns.failed(FIRST, &refused(), now + 90 * SECOND);
        assert_eq!(again, Some(Pattern::Unreachable { since: 90 * SECOND, times: 2 }));
        patterns.succeeded(FIRST, now + 100 * SECOND);
        assert_eq!(patterns.failed(FIRST, &refused(), now + 200 * SECOND), None);
    }

    #[test]
    fn a_request_that_was_taken_ends_the_refusals_too() {
        let (mut patterns, now) = (patterns(), Instant::now());
        patterns.failed(FIRST, &refused(), now);
        patterns.failed(FIRST, &Failure::timed_out(Phase::AwaitHead), now + SECOND);
        assert_eq!(patterns.failed(FIRST, &refused(), now + 2 * SECOND), None);
    }

    #[test]
    fn our_own_failures_say_nothing_of_the_endpoint() {
        let (mut patterns, now) = (patterns(), Instant::now());
        patterns.failed(FIRST, &refused(), now);
        patterns.failed(FIRST, &Failure::new(Cause::DescriptorsExhausted), now + SECOND);
        let again = patterns.failed(FIRST, &refused(), now + 2 * SECOND);
        assert_eq!(again, Some(Pattern::Unreachable { since: 2 * SECOND, times: 2 }));
    }

    #[test]
    fn an_address_that_fails_while_the_other_family_accepts_is_told_apart() {
        let (mut patterns, now) = (patterns(), Instant::now());
        patterns.succeeded(FIRST, now);
        let failed = patterns.failed(SECOND_ONE, &refused(), now + SECOND);
        assert_eq!(failed, Some(Pattern::OnlyThisFamily(Family::V6)));
        let later = patterns.failed(SECOND_ONE, &refused(), now + 300 * SECOND);
        assert_eq!(later, Some(Pattern::Unreachable { since: 299 * SECOND, times: 2 }));
    }

    #[test]
    fn other_servers_say_nothing_of_a_name() {
        let now = Instant::now();
        let mut patterns =
            Patterns::new([(0, Family::V4), (1, Family::V6)].map(|(server, family)| Place { server, family }));
        patterns.succeeded(FIRST, now);
        assert_eq!(patterns.failed(SECOND_ONE, &refused(), now), None);
    }

    #[test]
    fn workers_that_die_at_the_same_age_are_noticed() {
        let (mut patterns, now) = (patterns(), Instant::now());
        let mut died =
            |millis, at: u32| patterns.failed(FIRST, &ended(Duration::from_millis(millis), None), now + at * SECOND);
        assert_eq!(died(30_010, 30), None);
        assert_eq!(died(30_200, 70), Some(Pattern::DiesAt { age: Duration::from_millis(30_200), times: 2 }));
        assert!(died(29_990, 90).is_some());
        assert_eq!(died(12_000, 100), None, "another age is another reason");
        assert_eq!(died(12_000, 1000), None, "and it is long ago");
    }

    #[test]
    fn a_connection_that_was_reused_or_ended_at_once_has_no_such_age() {
        let (mut patterns, now) = (patterns(), Instant::now());
        patterns.succeeded(FIRST, now);
        for _ in 0..3 {
            assert_eq!(patterns.failed(FIRST, &ended(30 * SECOND, Some(SECOND)), now), None);
            assert_eq!(patterns.failed(FIRST, &ended(Duration::from_millis(5), None), now), None);
        }
    }

    #[test]
    fn who_never_answers_and_closes_at_once_may_speak_something_else() {
        let (mut patterns, now) = (patterns(), Instant::now());
        let at_once = ended(Duration::from_millis(5), None);
        assert_eq!(patterns.failed(FIRST, &at_once, now), None);
        assert_eq!(patterns.failed(FIRST, &at_once, now), Some(Pattern::NeverAnswered { times: 2 }));
        assert_eq!(
            patterns.failed(FIRST, &ended(Duration::from_millis(500), None), now),
            None,
            "it looked for an answer"
        );
        patterns.succeeded(FIRST, now);
        assert_eq!(patterns.failed(FIRST, &at_once, now), None);
    }

    #[test]
    fn a_full_accept_queue_is_counted_while_it_is_crowded() {
        let (mut patterns, now) = (patterns(), Instant::now());
        let full = Failure::from_connect_errno(11, true);
        assert_eq!(patterns.failed(FIRST, &full, now), None);
        let again = patterns.failed(FIRST, &full, now + 3 * SECOND);
        assert_eq!(again, Some(Pattern::QueueFull { times: 2, within: 3 * SECOND }));
        assert_eq!(patterns.failed(FIRST, &full, now + 200 * SECOND), None);
    }

    #[test]
    fn a_connect_that_times_out_beside_others_that_succeed_means_a_full_queue() {
        let (mut patterns, now) = (patterns(), Instant::now());
        let timeout = Failure::timed_out(Phase::Connect);
        patterns.succeeded(FIRST, now);
        let failed = patterns.failed(FIRST, &timeout, now + 2 * SECOND);
        assert_eq!(failed, Some(Pattern::AcceptsOthers { ago: 2 * SECOND }));
        assert_eq!(patterns.failed(FIRST, &timeout, now + 300 * SECOND), None);
        assert!(matches!(patterns.failed(FIRST, &timeout, now + 301 * SECOND), Some(Pattern::Unreachable { .. })));
    }

    #[test]
    fn each_pattern_is_one_clause() {
        let shown = |pattern: Pattern| pattern.to_string();
        let dies = Pattern::DiesAt { age: Duration::from_millis(30_040), times: 3 };
        assert_eq!(shown(dies), "the last 3 fresh connections ended at this age: workers die after 30.0 s");
        let only = "only the IPv6 address fails, the IPv4 address accepts";
        assert_eq!(shown(Pattern::OnlyThisFamily(Family::V6)), only);
    }
}
