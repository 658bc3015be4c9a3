//! The gateway: sockets, clocks and threads around `config`, `http1` and `policy`.

pub mod cli;
pub mod demo;
pub mod logs;
pub mod process;
