//! Any bytes as configuration files: no panic, every place lies in its file, every diagnostic can be shown.
//! The check itself is in the tests of its crate; this only draws bytes.
#![no_main]

#[path = "../../crates/config/tests/checks/mod.rs"]
#[allow(dead_code, reason = "one check of several is run")]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::config_text::check(data));
