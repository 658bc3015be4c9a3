//! The gateway's program.

use std::process::ExitCode;

use absent::Absent;

fn main() -> ExitCode {
    tidegate::cli::main(std::env::args_os(), |_, _| {
        Err::<Absent, _>("this build has no gateway in it yet")
    })
}

/// Until the gateway is here: everything but serving works.
mod absent {
    use std::os::fd::BorrowedFd;
    use std::pin::Pin;

    use tidegate::process::Engine;

    pub(crate) enum Absent {}

    impl Engine for Absent {
        type Error = &'static str;
        fn reload(&mut self, _: config::Config) -> Result<(), Self::Error> {
            match *self {}
        }
        fn stop_accepting(&mut self) {}
        fn drain(&mut self) -> Pin<Box<dyn Future<Output = ()>>> {
            match *self {}
        }
        fn stop(&mut self) {}
        fn listeners(&self) -> Vec<BorrowedFd<'_>> {
            match *self {}
        }
    }
}
