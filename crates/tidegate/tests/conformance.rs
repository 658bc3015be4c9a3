//! Sends every case of `tests/conformance/` through nginx and through tidegate and compares what clients, origins and
//! logs saw, field by field. A difference fails unless the case lists it with its reason; so does a listed one that is gone.
//!
//! `TIDEGATE_REQUIRE_PEERS=1` makes a missing nginx a failure; without it the cases are skipped, which is said.
//! `TIDEGATE_SUBJECT=/usr/sbin/nginx` compares nginx with itself: what differs then is the harness's or the case's fault.

#[path = "conformance/compare.rs"]
mod compare;
#[path = "conformance/made_up.rs"]
mod made_up;
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use compare::{Difference, compare};
use support::bytes::fits;
use support::case::Case;
use support::case_format::read_case;
use support::run;
use support::server::Binary;
use support::suite::{self, Suite};
use support::transcript::Transcript;

/// Debian's nginx is 1.22; these have been nginx's defaults since 1.29.7.
const NEWER_DEFAULTS: &str = "proxy_http_version 1.1;";

fn main() -> ExitCode {
    let skipped = nginx().is_none();
    if skipped {
        println!(
            "conformance: every case is skipped, as nginx, to compare with, is not installed here (`apt-get install nginx`)"
        );
    }
    let mut checks = compare::trials();
    checks.extend(made_up::trials(judge, skipped));
    let suite = Suite { dir: "conformance", extension: "case", judge, checks, skipped };
    let outcome = suite.run();
    if skipped && required() { ExitCode::FAILURE } else { outcome }
}

fn required() -> bool {
    std::env::var_os("TIDEGATE_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

fn nginx() -> Option<Binary> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(PathBuf::from("/usr/sbin"));
    let path = places.iter().map(|place| place.join("nginx")).find(|path| path.is_file())?;
    Some(Binary { name: "nginx", path, http_defaults: NEWER_DEFAULTS })
}

fn judge(text: &str) -> Result<(), String> {
    let case = read_case(text)?;
    if let Some(why) = suite::missing(&case) {
        eprintln!("skipped: {}: {why}", case.title);
        return Ok(());
    }
    let peer = nginx().ok_or("nginx has gone")?;
    let mut of_peer = run::run(text, &peer)?;
    let mut failures = about("nginx", suite::problems(&case, &of_peer));
    let (subject, is_nginx) = subject(&peer);
    let mut of_subject = run::run(text, &subject)?;
    failures.extend(about("tidegate", suite::problems(&case, &of_subject)));
    if !is_nginx {
        failures.extend(about("tidegate", suite::failure_problems(&case, &of_subject)));
    }
    drop_default_connection_close(&case, &mut of_peer);
    if is_nginx {
        drop_default_connection_close(&case, &mut of_subject);
    }
    let differences = compare(&of_peer, &of_subject);
    failures.extend(judge_differences(&case, &differences, is_nginx));
    if failures.is_empty() { Ok(()) } else { Err(format!("{}\n{}", case.title, failures.join("\n"))) }
}

/// The binary to compare with nginx, and whether it is nginx itself.
fn subject(peer: &Binary) -> (Binary, bool) {
    let subject = suite::subject();
    let is_nginx = subject.path.file_name() == Some(Path::new("nginx").as_os_str());
    if is_nginx { (peer.clone(), true) } else { (subject, false) }
}

fn about(who: &str, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{who}: {problem}")).collect()
}

/// Since 1.29.7 nginx sends no `Connection: close` to upstreams unless it is told to.
fn drop_default_connection_close(case: &Case, seen: &mut Transcript) {
    if case.config.text.to_ascii_lowercase().contains("proxy_set_header connection") {
        return;
    }
    for request in seen.requests.iter_mut().flat_map(|(_, requests)| requests) {
        request.fields.retain(|(name, value)| !(name == "Connection" && value == "close"));
    }
}

/// Differences that the case does not list, and listed ones that are not there.
fn judge_differences(case: &Case, found: &[Difference], is_nginx: bool) -> Vec<String> {
    let covers = |listed: &str, place: &str| fits(&listed.replace('*', "..."), place);
    let unlisted =
        found.iter().filter(|difference| !case.differ.iter().any(|listed| covers(&listed.place, &difference.place)));
    let gone = case
        .differ
        .iter()
        .filter(|listed| !is_nginx && !found.iter().any(|difference| covers(&listed.place, &difference.place)));
    let gone =
        gone.map(|listed| format!("{}: listed as different ({}), but it is the same", listed.place, listed.reason));
    unlisted.map(ToString::to_string).chain(gone).collect()
}
