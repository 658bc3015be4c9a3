//! Any bytes as a response's head: no panic, no split matters, what is written is read back.
//! The check itself is in the tests of its crate; this only draws bytes.
#![no_main]

#[path = "../../crates/http1/tests/checks/mod.rs"]
#[allow(dead_code, reason = "one check of several is run")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::response_head::check(data));
