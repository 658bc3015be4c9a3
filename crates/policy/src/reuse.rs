//! How long an endpoint keeps an idle connection open, and for how many requests: learned from what it says and does.
//!
//! An endpoint that closes a connection while a request is on its way to it makes a 502 of a healthy service. It mostly
//! closes at a fixed age, or after a fixed number of requests; both are seen in ordinary traffic, and then kept clear of.
//! Not here: the connections themselves, which are the gateway's.

use std::time::{Duration, Instant};

/// A connection may idle so long at any endpoint: the shortest limits in use (gunicorn's) are two seconds.
const CERTAIN: Duration = Duration::from_secs(1);
/// What was learned counts for so long after it was last seen.
const MEMORY: Duration = Duration::from_secs(600);
/// Two closes closer together than this may be one event, such as a restart.
const APART: Duration = Duration::from_secs(1);
/// A connection that is closed so soon after a reply was closed because of it, not because it idled.
const AT_ONCE: Duration = Duration::from_millis(100);

/// What is known of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reuse {
    announced: Option<Duration>,
    idle: Learned<Duration>,
    requests: Learned<u64>,
    /// The longest idle time after which a connection served another request, and when that was.
    proven: Option<(Duration, Instant)>,
}

/// How sure a connection must be to be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The request can be sent again if the connection turns out to be closed.
    Likely,
    /// It cannot: in doubt it goes out on a fresh connection.
    Certain,
}

impl Reuse {
    /// The endpoint sent `Keep-Alive: timeout=…`.
    pub fn announced(&mut self, timeout: Duration) {
        self.announced = Some(timeout);
    }

    /// The endpoint closed a connection on which it had answered `requests`, and which was seen open after it had idled
    /// for `open`.
    pub fn closed(&mut self, open: Duration, requests: u64, now: Instant) {
        if open <= AT_ONCE {
            self.requests.saw(requests, |a, b| a == b, now);
        } else {
            self.idle.saw(open, alike, now);
        }
    }

    /// A connection that had idled for `idle` turned out to be closed when it was used.
    pub fn was_stale(&mut self, idle: Duration, now: Instant) {
        self.idle.saw(idle, alike, now);
        if self.proven.is_some_and(|(proven, _)| proven >= idle) {
            self.proven = None;
        }
    }

    /// A connection that had idled for `idle` served a request.
    pub fn served(&mut self, idle: Duration, now: Instant) {
        if self.proven(now).is_none_or(|proven| idle >= proven) {
            self.proven = Some((idle, now));
        }
        if self.idle.known(now).is_some_and(|limit| idle > limit) {
            self.idle = Learned::default();
        }
    }

    /// Whether a connection that idles for `idle` and has served `requests` is to be used for another request.
    pub fn may_use(&self, idle: Duration, requests: u64, need: Need, now: Instant) -> bool {
        let spent = self.requests.known(now).is_some_and(|limit| requests >= limit);
        !spent && idle <= self.limit(need, now)
    }

    /// How long connections may idle; nothing when nothing is known.
    pub fn idle_limit(&self, now: Instant) -> Option<Duration> {
        let announced = self.announced.map(safe);
        let learned = self.idle.known(now).map(safe);
        announced.into_iter().chain(learned).min()
    }

    /// After how long the endpoint closes an idle connection, as it says or as it was seen to do.
    pub fn closes_after(&self, now: Instant) -> Option<Duration> {
        self.announced.into_iter().chain(self.idle.known(now)).min()
    }

    /// After how many requests the endpoint closes a connection without saying so.
    pub fn request_limit(&self, now: Instant) -> Option<u64> {
        self.requests.known(now)
    }

    fn limit(&self, need: Need, now: Instant) -> Duration {
        let limit = self.idle_limit(now).unwrap_or(Duration::MAX);
        match need {
            Need::Likely => limit,
            Need::Certain => {
                let proven = self.proven(now).unwrap_or(CERTAIN).max(CERTAIN);
                let suspected = self.idle.suspected(now).map_or(Duration::MAX, safe);
                limit.min(suspected).min(proven)
            }
        }
    }

    fn proven(&self, now: Instant) -> Option<Duration> {
        self.proven.filter(|(_, at)| is_fresh(*at, now)).map(|(idle, _)| idle)
    }
}

/// A little less than the limit: the endpoint's clock started earlier, and the next request takes time to arrive.
fn safe(limit: Duration) -> Duration {
    limit.mul_f64(0.8).min(limit.saturating_sub(Duration::from_millis(200)))
}

/// Ages of two closes that may have the same reason.
fn alike(a: Duration, b: Duration) -> bool {
    let (less, more) = (a.min(b), a.max(b));
    more - less <= more.mul_f64(0.25).max(Duration::from_millis(1500))
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) <= MEMORY
}

/// A value that counts once it was seen twice: the first time may be chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Learned<T> {
    seen: Option<(T, Instant)>,
    confirmed: Option<(T, Instant)>,
}

impl<T> Default for Learned<T> {
    fn default() -> Self {
        Self { seen: None, confirmed: None }
    }
}

impl<T: Copy + Ord> Learned<T> {
    fn saw(&mut self, value: T, alike: impl Fn(T, T) -> bool, now: Instant) {
        let before = self.seen.filter(|(_, at)| is_fresh(*at, now));
        let again = before.filter(|(seen, at)| alike(*seen, value) && now.saturating_duration_since(*at) >= APART);
        if let Some((seen, _)) = again {
            self.confirmed = Some((seen.min(value), now));
        }
        // Within one event the smallest value is kept, and its time, so that the next event is told apart from it.
        let same_event = before.filter(|(_, at)| now.saturating_duration_since(*at) < APART);
        self.seen = Some(same_event.map_or((value, now), |(seen, at)| (seen.min(value), at)));
    }

    fn known(&self, now: Instant) -> Option<T> {
        self.confirmed.filter(|(_, at)| is_fresh(*at, now)).map(|(value, _)| value)
    }

    /// What was seen at all, once is enough.
    fn suspected(&self, now: Instant) -> Option<T> {
        self.seen.filter(|(_, at)| is_fresh(*at, now)).map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn may_idle(reuse: &Reuse, seconds: f64, need: Need, now: Instant) -> bool {
        reuse.may_use(Duration::from_secs_f64(seconds), 1, need, now)
    }

    #[test]
    fn a_limit_that_is_announced_is_kept_clear_of_at_once() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        assert!(may_idle(&reuse, 50.0, Need::Likely, now));
        reuse.announced(5 * SECOND);
        assert!(may_idle(&reuse, 3.9, Need::Likely, now));
        assert!(!may_idle(&reuse, 4.1, Need::Likely, now));
    }

    #[test]
    fn a_limit_that_is_never_announced_is_learned_from_two_closes() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        reuse.closed(5 * SECOND, 3, now);
        assert!(may_idle(&reuse, 10.0, Need::Likely, now));
        reuse.closed(Duration::from_millis(4900), 8, now + 20 * SECOND);
        assert!(!may_idle(&reuse, 4.0, Need::Likely, now + 20 * SECOND));
        assert!(may_idle(&reuse, 3.5, Need::Likely, now + 20 * SECOND));
    }

    #[test]
    fn a_restart_that_closes_everything_at_once_teaches_nothing() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        for age in [2, 3, 3, 40] {
            reuse.closed(age * SECOND, 1, now);
        }
        assert_eq!(reuse.idle_limit(now), None);
        reuse.closed(30 * SECOND, 1, now + 60 * SECOND);
        assert_eq!(reuse.idle_limit(now + 60 * SECOND), None, "another age is another reason");
    }

    #[test]
    fn a_stale_connection_counts_like_a_close() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        reuse.was_stale(6 * SECOND, now);
        reuse.was_stale(7 * SECOND, now + 10 * SECOND);
        assert!(!may_idle(&reuse, 5.5, Need::Likely, now + 10 * SECOND));
    }

    #[test]
    fn what_was_learned_is_dropped_when_it_is_disproved_or_old() {
        let learned = |now| {
            let mut reuse = Reuse::default();
            reuse.closed(5 * SECOND, 1, now);
            reuse.closed(5 * SECOND, 1, now + 10 * SECOND);
            reuse
        };
        let now = Instant::now();
        let mut reuse = learned(now);
        assert_eq!(reuse.idle_limit(now + 10 * SECOND), Some(4 * SECOND));
        assert_eq!(reuse.idle_limit(now + 10 * SECOND + MEMORY + SECOND), None);
        reuse.served(20 * SECOND, now + 10 * SECOND);
        assert_eq!(reuse.idle_limit(now + 10 * SECOND), None);
    }

    #[test]
    fn a_request_that_cannot_be_repeated_takes_only_what_has_proved_itself() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        assert!(may_idle(&reuse, 0.9, Need::Certain, now));
        assert!(!may_idle(&reuse, 1.1, Need::Certain, now));
        reuse.served(10 * SECOND, now);
        assert!(may_idle(&reuse, 9.0, Need::Certain, now));
        reuse.was_stale(8 * SECOND, now);
        assert!(!may_idle(&reuse, 7.0, Need::Certain, now), "once is enough for a doubt");
        assert!(may_idle(&reuse, 7.0, Need::Likely, now));
    }

    #[test]
    fn a_number_of_requests_after_which_connections_are_closed_is_learned() {
        let (mut reuse, now) = (Reuse::default(), Instant::now());
        reuse.closed(Duration::ZERO, 100, now);
        assert!(reuse.may_use(Duration::ZERO, 100, Need::Likely, now));
        reuse.closed(Duration::ZERO, 100, now + 5 * SECOND);
        let later = now + 5 * SECOND;
        assert!(!reuse.may_use(Duration::ZERO, 100, Need::Likely, later));
        assert!(reuse.may_use(Duration::ZERO, 99, Need::Likely, later));
        assert_eq!(reuse.request_limit(later), Some(100));
    }
}
