//! The table that the clients share with the gateway, `clients/vectors.json`: the numbers and decisions here are the same there.
//! `node --test` (in clients/js) reads the same file. Not here: what only one of them has.

#![allow(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::Method;
use policy::backoff::Backoff;
use policy::breaker::{Breaker, BreakerSettings};
use policy::budget::{Budget, BudgetSettings};
use policy::failure::proxy_status::Member;
use policy::retry::{self, Decision, Met, Situation};
use policy::{Cause, Condition, Conditions, Delivery, Failure, Outcome, RetrySettings, retry_after};
use serde_json::Value;

fn table() -> Value {
    serde_json::from_str(include_str!("../../../clients/vectors.json")).unwrap()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    let rows = value.as_array().unwrap();
    assert!(!rows.is_empty());
    rows.iter()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn millis(value: &Value) -> Duration {
    Duration::from_millis(value.as_u64().unwrap())
}

fn cause(value: &Value) -> Cause {
    let name = value.as_str().unwrap();
    *Cause::ALL.iter().find(|cause| cause.row().name == name).unwrap_or_else(|| panic!("no cause {name}"))
}

fn backoff(row: &Value) -> Backoff {
    Backoff { base: millis(&row["base"]), cap: millis(&row["cap"]) }
}

fn budget(row: &Value) -> BudgetSettings {
    BudgetSettings { percent: number(&row["percent"]), floor: number(&row["floor"]) }
}

#[test]
fn the_gateways_defaults_are_those_of_the_table() {
    let defaults = &table()["defaults"]["gateway"];
    assert_eq!(backoff(defaults), Backoff::default());
    assert_eq!(budget(&defaults["budget"]), BudgetSettings::default());
}

#[test]
fn waits_reach_their_bound_and_no_further() {
    for row in rows(&table()["backoff"]) {
        let retry_after = row["retryAfter"].as_u64().map(Duration::from_millis);
        for (retry, bound) in (0..).zip(rows(&row["bounds"]).map(millis)) {
            let unasked = backoff(row).base.saturating_mul(1 << retry).min(backoff(row).cap);
            let longest = u64::try_from(unasked.as_nanos()).unwrap();
            assert_eq!(backoff(row).delay(retry, retry_after, longest), bound, "retry {retry} of {row}");
            assert_eq!(backoff(row).delay(retry, retry_after, 0), retry_after.unwrap_or_default(), "{row}");
        }
    }
}

#[test]
fn the_same_requests_are_repeated() {
    let table = table();
    let mut conditions = Conditions::OFF;
    for word in rows(&table["conditions"]) {
        let known = Condition::ALL.iter().find(|(_, known)| word == known);
        conditions.insert(known.unwrap().0);
    }
    let settings = RetrySettings { conditions, ..RetrySettings::default() };
    for row in rows(&table["decisions"]) {
        let failure = row.get("failure").map(|name| Failure::new(cause(name)));
        let met = failure.as_ref().map_or_else(|| Met::Status(number(&row["status"]) as u16), Met::Failure);
        let is = |name: &str| row[name].as_bool().unwrap();
        let method: Method = row["method"].as_str().unwrap().parse().unwrap();
        let situation = Situation {
            met,
            idempotent: is("key") || retry::is_idempotent(&method),
            sent: is("sent"),
            replayable: is("replayable"),
            tries_left: number(&row["left"]),
            another_round: false,
            elapsed: Duration::ZERO,
        };
        assert_eq!(retry::decide(&settings, &situation) == Decision::Next, is("retry"), "{row}");
    }
}

#[test]
fn the_same_methods_are_idempotent() {
    let methods = &table()["methods"];
    for (list, expected) in [("idempotent", true), ("other", false)] {
        for name in rows(&methods[list]) {
            let method: Method = name.as_str().unwrap().parse().unwrap();
            assert_eq!(retry::is_idempotent(&method), expected, "{method}");
        }
    }
}

#[test]
fn retry_after_is_read_the_same() {
    let table = table();
    let now = millis(&table["retryAfter"]["now"]);
    for row in rows(&table["retryAfter"]["cases"]) {
        let expected = row["wait"].as_u64().map(Duration::from_millis);
        assert_eq!(retry_after::parse(row["value"].as_str().unwrap(), now), expected, "{row}");
    }
}

#[test]
fn budgets_run_out_and_come_back_the_same() {
    for row in rows(&table()["budgets"]) {
        let start = Instant::now();
        let mut budget_left = Budget::new(start);
        for step in rows(&row["steps"]) {
            let now = start + millis(&step["at"]);
            (0..step["exchanges"].as_u64().unwrap_or(0)).for_each(|_| budget_left.exchange(now));
            let takes = 0..step["takes"].as_u64().unwrap_or(0);
            let granted = takes.filter(|_| budget_left.take(budget(row), now)).count() as u64;
            assert_eq!(granted, step["granted"].as_u64().unwrap_or(0), "{step} of {row}");
        }
    }
}

fn outcome(step: &Value) -> Outcome {
    match step["outcome"].as_str() {
        Some("failure") => Outcome::Failure,
        Some("success") => Outcome::Success,
        Some("neutral") => Outcome::Neutral,
        other => panic!("no outcome: {other:?}"),
    }
}

#[test]
fn breakers_open_and_close_the_same() {
    for row in rows(&table()["breakers"]) {
        let settings = BreakerSettings {
            percent: number(&row["percent"]),
            volume: number(&row["volume"]),
            open: millis(&row["open"]),
            longest: millis(&row["longest"]),
        };
        let start = Instant::now();
        let (mut breaker, mut kept) = (Breaker::new(start), HashMap::new());
        for step in rows(&row["steps"]) {
            let now = start + millis(&step["at"]);
            if step["refused"] == true {
                assert!(breaker.admit(now).is_err(), "{step}");
            }
            if let Some(name) = step["admit"].as_str() {
                kept.insert(name, breaker.admit(now).unwrap());
            }
            if let Some(permit) = step["end"].as_str().and_then(|name| kept.remove(name)) {
                breaker.report(&settings, permit, outcome(step), now);
            }
            for _ in 0..step["attempts"].as_u64().unwrap_or(0) {
                let permit = breaker.admit(now).unwrap();
                breaker.report(&settings, permit, outcome(step), now);
            }
            if let Some(open) = step["open"].as_bool() {
                assert_eq!(breaker.is_closed(), !open, "{step}: {}", row["note"]);
            }
        }
    }
}

/// What a client takes for "never sent" must be so for every cause that shares the error type.
#[test]
fn fields_are_the_gateways_and_unsent_means_unsent() {
    for row in rows(&table()["proxyStatus"]).filter(|row| row.get("cause").is_some()) {
        let failure = Failure::new(cause(&row["cause"]));
        let (value, error_type) = (row["value"].as_str().unwrap(), failure.row().error_type);
        let stranger = Member { intermediary: "tidegate", failure: &failure, disclosed: None }.to_string();
        assert!(value.starts_with(&stranger), "{value}: {stranger}");
        assert_eq!(row["type"], error_type);
        let code = failure.row().code.to_string();
        assert!(row["code"].is_null() || row["code"] == code.as_str(), "{row}");
        let shares = |cause: &&Cause| cause.row().error_type == error_type;
        let all_unsent =
            Cause::ALL.iter().filter(shares).all(|cause| cause.row().treatment.delivery == Delivery::NeverSent);
        assert!(row["sent"] == true || all_unsent, "{error_type}");
    }
}

#[test]
fn people_are_told_the_same() {
    let messages = &table()["messages"];
    for (name, message) in messages.as_object().unwrap() {
        assert_eq!(message["text"], cause(&message["cause"]).row().treatment.user, "{name}");
    }
}
