//! `cargo xtask client-bench`: what the client and the middleware of `tidegate-tower` cost, and what they bring.
//! Not here: the gateway's own cost (`instructions`, `bench`).

mod outage;
mod overhead;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::Arg::{Long, Short};

use crate::bench::plan::value;
use crate::bench::tidegate;

pub(crate) const HELP: &str = "\
cargo xtask client-bench [OPTION…]
    User-space instructions that a small GET costs in a client, with and without retries around it; then, through the same
    twelve seconds of faults, what fails and how often origins are asked: with no layer, the client's, the gateway's, both.

    --only WHAT       overhead or outage; default both
    --requests N      requests of the shorter run that is counted; default 2000
    --tidegate FILE   runs this gateway instead of building one
";

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, String> {
    let (mut only, mut requests, mut gateway) = (None::<OsString>, 2000, None::<PathBuf>);
    while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
        match argument {
            Long("only") => only = Some(value(&mut arguments)?),
            Long("requests") => {
                let word = value(&mut arguments)?;
                let number = word.to_str().and_then(|word| word.parse().ok()).filter(|number| *number > 0);
                requests = number.ok_or("--requests takes a positive number")?;
            }
            Long("tidegate") => gateway = Some(value(&mut arguments)?.into()),
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let wants = |what: &str| only.as_ref().is_none_or(|only| only == what);
    if !wants("overhead") && !wants("outage") {
        return Err("--only takes overhead or outage".into());
    }
    if wants("overhead") {
        overhead::print(requests)?;
    }
    if wants("outage") {
        outage::print(&gateway.map_or_else(tidegate::build, Ok)?)?;
    }
    Ok(ExitCode::SUCCESS)
}
