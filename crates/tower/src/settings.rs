//! What a retrying layer does, as numbers. Not here: the doing.

use std::time::Duration;

use policy::backoff::Backoff;
use policy::breaker::BreakerSettings;
use policy::budget::BudgetSettings;
use policy::hedge::HedgeSettings;
use policy::resilience::HoldBack;
use policy::{Condition, Conditions, RetrySettings};

use crate::idempotency::IdempotencyKeys;

/// The settings of a [`crate::Retry`], a [`crate::Client`] or a [`crate::Gateway`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// When another attempt is made, and how many are made at the most.
    pub retry: RetrySettings,
    /// How long is waited before an origin is asked again; another one is asked at once.
    pub backoff: Backoff,
    /// The bound on retries as a share of the traffic. It cannot be switched off: retries without one keep an outage going.
    pub budget: BudgetSettings,
    /// The longest that an attempt may be silent before the head of its answer is there; progress of the request's body
    /// counts as a sign of life.
    pub attempt_timeout: Duration,
    /// The longest until the head of the final answer, all attempts and waits included.
    pub total_timeout: Duration,
    /// The longest silence within the body of an answer.
    pub body_timeout: Duration,
    /// When a second attempt begins beside one that is silent, and whichever is quicker counts; nothing for never. Only for
    /// safe methods (GET and the like), within the tries and the budget of retries.
    pub hedge: Option<HedgeSettings>,
    /// When an origin is no longer asked; nothing for always.
    pub breaker: Option<BreakerSettings>,
    /// The most bytes of a request's body that are kept for another attempt. A longer body streams, and is sent once.
    pub replay: usize,
    /// Small answers wait until they are whole, so that one that breaks off can be asked for again; nothing for never.
    pub hold_back: Option<HoldBack>,
    /// The longest `Retry-After` that is waited for. An answer that asks for more is handed on.
    pub longest_retry_after: Duration,
    /// Whether requests that are not idempotent get an `Idempotency-Key`.
    pub idempotency_keys: IdempotencyKeys,
    /// Failures within `fail_timeout` that take one of several endpoints out; 0 for never.
    pub max_fails: u32,
    /// The window of failures, and the time out of rotation.
    pub fail_timeout: Duration,
}

fn conditions(cases: &[Condition]) -> Conditions {
    let mut conditions = Conditions::default();
    cases.iter().for_each(|case| conditions.insert(*case));
    conditions
}

impl Settings {
    /// Those of a client, the same as in `clients/vectors.json`: four tries, waits of up to a second that double up to 8 s,
    /// 30 s an attempt, 60 s in all, a breaker for each origin. What gateways say (502, 503, 504) and 429 are tried again.
    pub fn client() -> Self {
        use Condition::{Http429, Http502, Http503, Http504, InvalidHeader};
        let conditions = conditions(&[InvalidHeader, Http429, Http502, Http503, Http504]);
        Self {
            retry: RetrySettings { conditions, tries: 4, timeout: Duration::ZERO },
            backoff: Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8) },
            budget: BudgetSettings { percent: 20, floor: 1 },
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            hedge: None,
            breaker: Some(BreakerSettings::default()),
            replay: 1 << 20,
            hold_back: Some(HoldBack::default()),
            longest_retry_after: Duration::from_secs(30),
            idempotency_keys: IdempotencyKeys::AsGiven,
            max_fails: 0,
            fail_timeout: Duration::ZERO,
        }
    }

    /// Those of a gateway: three tries within ten seconds, short waits, nginx's passive health, no breaker. 500, 502 and
    /// 503 are tried again. The whole may take an hour: clients upload slowly, and silence has its own bound.
    pub fn gateway() -> Self {
        use Condition::{Http500, Http502, Http503, InvalidHeader};
        let conditions = conditions(&[InvalidHeader, Http500, Http502, Http503]);
        Self {
            retry: RetrySettings { conditions, tries: 3, timeout: Duration::from_secs(10) },
            backoff: Backoff::default(),
            budget: BudgetSettings::default(),
            total_timeout: Duration::from_secs(3600),
            breaker: None,
            longest_retry_after: Duration::ZERO,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            ..Self::client()
        }
    }
}

impl Default for Settings {
    /// [`Settings::client`].
    fn default() -> Self {
        Self::client()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_the_numbers_that_all_clients_share() {
        let table: serde_json::Value = serde_json::from_str(include_str!("../../../clients/vectors.json")).unwrap();
        let shared = &table["defaults"]["client"];
        let Settings { retry, backoff, budget, attempt_timeout, total_timeout, .. } = Settings::client();
        let millis = |name: &str| Duration::from_millis(shared[name].as_u64().unwrap());
        assert_eq!(u64::from(retry.tries), shared["attempts"].as_u64().unwrap());
        assert_eq!([backoff.base, backoff.cap], [millis("base"), millis("cap")]);
        assert_eq!([attempt_timeout, total_timeout], [millis("attemptTimeout"), millis("totalTimeout")]);
        assert_eq!(u64::from(budget.percent), shared["budget"]["percent"].as_u64().unwrap());
        assert_eq!(u64::from(budget.floor), shared["budget"]["floor"].as_u64().unwrap());
        let (breaker, known) = (Settings::client().breaker.unwrap(), &shared["breaker"]);
        assert_eq!(u64::from(breaker.percent), known["percent"].as_u64().unwrap());
        assert_eq!(u64::from(breaker.volume), known["volume"].as_u64().unwrap());
        let times = ["open", "longest"].map(|name| Duration::from_millis(known[name].as_u64().unwrap()));
        assert_eq!([breaker.open, breaker.longest], times);
        for word in table["conditions"].as_array().unwrap() {
            let (condition, _) = Condition::ALL.iter().find(|(_, known)| word == known).unwrap();
            assert!(retry.conditions.contains(*condition), "{word}");
        }
    }
}
