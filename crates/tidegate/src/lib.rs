//! The gateway: sockets, clocks and threads around `config`, `http1` and `policy`.
//!
//! The rooms in the order that data goes through them: `process` and `gateway` start `worker`s; `listen` accepts, a
//! `connection` reads requests (`downstream`), `answer` finds who answers, `exchange` carries the request to its upstream,
//! `finish` sends the response and writes the `record` to the logs.

mod access_log;
mod answer;
mod body;
mod buffer;
pub mod cli;
mod client;
mod connection;
mod deliver;
pub mod demo;
mod diagnose;
mod downstream;
mod exchange;
mod explain;
mod failures;
mod files;
mod finish;
mod forward;
pub mod gateway;
mod intake;
mod listen;
pub mod local;
mod local_response;
pub mod logs;
mod maps;
pub mod misbehave;
mod own;
pub mod process;
mod proxy;
mod record;
mod report;
mod request;
mod request_id;
mod response;
mod resume;
pub mod route;
mod simulate;
mod stream;
mod tables;
mod tunnel;
mod upstream;
pub mod uri;
mod variables;
mod worker;

#[cfg(test)]
mod fixture;

pub use record::{Observer, Summary};
