//! `tidegate simulate`: the gateway's policy against simulated endpoints, in virtual time.
//!
//! `options` and `subject` say what is simulated, `world` moves virtual time and asks policy, `endpoint` answers under `faults`,
//! `findings` and `show` tell what came of it. Not here: sockets, and any decision that the gateway makes (`policy`).

mod chance;
mod endpoint;
mod faults;
mod findings;
mod options;
mod show;
mod subject;
mod world;

use std::io::{self, Write};
use std::time::Instant;

use config::Config;

use findings::Findings;
pub(crate) use options::{Options, USAGE, parse};
use subject::Subject;

impl Options {
    /// The file that is simulated.
    pub(crate) fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }
}

/// What is simulated where no file is given.
pub(crate) const DEFAULT: &str = subject::DEFAULT;

/// Simulates. Returns the exit code.
pub(crate) fn run(options: Options, config: &Config) -> u8 {
    match simulate(options, config) {
        Ok(text) => {
            // A reader that went away wants no more.
            let _ = io::stdout().write_all(text.as_bytes());
            0
        }
        Err(message) => {
            eprintln!("tidegate: {message}");
            1
        }
    }
}

fn simulate(mut options: Options, config: &Config) -> Result<String, String> {
    let subject = Subject::find(config, options.upstream.as_deref())?;
    if options.file.is_none() {
        options.load.endpoints.get_or_insert(subject::DEFAULT_ENDPOINTS);
    }
    let load = &options.load;
    if let Some(note) = subject.left_out() {
        eprintln!("tidegate: {note}");
    }
    let began = Instant::now();
    let seconds = world::run(&subject, load);
    let took = began.elapsed().as_secs_f64();
    let findings = Findings::of(&seconds, load);
    if let Some(file) = &options.svg {
        std::fs::write(file, show::svg(&seconds, load)).map_err(|error| format!("cannot write {file}: {error}"))?;
    }
    if options.json {
        return Ok(show::json(&seconds, &findings));
    }
    let number = subject.endpoints(load.endpoints).len();
    let speed = findings.total.offered as f64 / took.max(1e-6);
    let head = format!(
        "{number} endpoints that can answer {:.0} requests/s, {:.0} requests/s offered\n\n",
        number as f64 * load.capacity.rate(),
        world::rate(load, number)
    );
    let foot = format!("simulated in {took:.1} s: {speed:.0} requests a second\n");
    Ok(head + &show::text(&seconds, &findings) + &foot)
}
