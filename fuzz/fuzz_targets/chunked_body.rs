//! Any bytes as a body in any pieces, beside a plain second decoder.
//! The check itself is in the tests of its crate; this only draws bytes.
#![no_main]

#[path = "../../crates/http1/tests/checks/mod.rs"]
#[allow(dead_code, reason = "one check of several is run")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::chunked_body::check(data));
