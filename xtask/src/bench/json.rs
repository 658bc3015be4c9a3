//! The results as JSON: every round's figures, and the ratios, so that runs can be compared by a
//! program.

use serde_json::{Value, json};

use super::contender::Contender;
use super::cores::Cores;
use super::results::{CaseResult, Results, Round, microseconds};
use super::statistics::Spread;

pub(crate) fn document(results: &Results, cores: &Cores) -> String {
    let entrants = results.entrants.iter().map(
        |entrant| json!({ "name": entrant.contender.name(), "version": entrant.version, "logged": entrant.logged }),
    );
    let left_out =
        results.left_out.iter().map(|(contender, reason)| json!({ "name": contender.name(), "reason": reason }));
    let idle = results.idle.iter().map(|(contender, idle)| {
        json!({
            "contender": contender.name(),
            "connections": idle.connections,
            "bytes_before": idle.before,
            "bytes_after": idle.after,
            "kilobytes_per_connection": idle.kilobytes_each(),
        })
    });
    let document = json!({
        "cores": { "proxy": cores.proxy, "others": cores.others },
        "contenders": entrants.collect::<Value>(),
        "left_out": left_out.collect::<Value>(),
        "cases": results.cases.iter().map(case).collect::<Value>(),
        "idle": idle.collect::<Value>(),
        "failures": results.failures(),
    });
    format!("{document:#}\n")
}

fn case(result: &CaseResult) -> Value {
    let contenders = result.rounds.iter().map(|(contender, rounds)| {
        json!({
            "contender": contender.name(),
            "cpu_us_per_request": spread(result.spread(*contender, Round::cpu_per_request)),
            "cpu_ratio_to_nginx": spread(result.cpu_ratio(*contender, Contender::Nginx)),
            "cpu_ratio_to_forwarder": spread(result.cpu_ratio(*contender, Contender::Forwarder)),
            "requests_per_second": spread(result.spread(*contender, Round::requests_per_second)),
            "rounds": rounds.iter().map(round).collect::<Value>(),
        })
    });
    json!({
        "name": result.case.name,
        "title": result.case.title,
        "connections": result.case.connections,
        "contenders": contenders.collect::<Value>(),
    })
}

fn round(round: &Round) -> Value {
    json!({
        "requests": round.requests,
        "seconds": round.wall.as_secs_f64(),
        "cpu_us_per_request": round.cpu_per_request(),
        "requests_per_second": round.requests_per_second(),
        "p50_us": microseconds(round.p50),
        "p99_us": microseconds(round.p99),
        "core_busy": round.busy(),
        "core_used_by_others": round.disturbance(),
        "failures": round.failures.total(),
    })
}

fn spread(spread: Option<Spread>) -> Value {
    spread.map_or(Value::Null, |Spread { median, min, max }| json!({ "median": median, "min": min, "max": max }))
}
