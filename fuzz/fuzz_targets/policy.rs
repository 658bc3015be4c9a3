//! Any bytes as operations on an upstream, beside a naive nginx.
//! The check itself is in the tests of its crate; this only draws bytes.
#![no_main]

#[path = "../../crates/policy/tests/checks/mod.rs"]
#[allow(dead_code, reason = "one check of several is run")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::operations::check(data));
