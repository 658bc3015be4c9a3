//! The gateway: sockets, clocks and threads around `config`, `http1` and `policy`.

#![forbid(unsafe_code)]

pub mod local;
pub mod route;
pub mod uri;

#[cfg(test)]
mod fixture;
