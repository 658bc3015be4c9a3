//! The gateway's program: the command line, with the gateway behind it.

use std::process::ExitCode;

use tidegate::gateway::Gateway;

fn main() -> ExitCode {
    tidegate::cli::main(std::env::args_os(), Gateway::start)
}
