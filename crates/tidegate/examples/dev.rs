#![allow(missing_docs, clippy::unwrap_used)]
use tidegate::{gateway::Gateway, logs::Logs, process::Start};
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let loaded = config::load_text(&text);
    for d in &loaded.diagnostics { eprintln!("{:?} {} {:?}", d.severity, d.message, d.span); }
    let logs = Logs::start().unwrap();
    let _g = Gateway::start(Start { config: loaded.config.unwrap(), logs, inherited: vec![], account: None }).unwrap();
    loop { std::thread::park(); }
}
