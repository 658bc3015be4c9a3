//! What concerns one connection only: whether it goes on, and which fields end with it. Not here: closing it.

use http1::{Fields, Version, connection_names_fields, is_hop_by_hop, is_named_by_connection, persistent};

use crate::read::request_with;

fn fields(lines: &str) -> Fields {
    request_with(lines).expect("a head").fields
}

// RFC 9112 §9.3, §9.6
#[test]
fn persistence_follows_version_and_connection() {
    for (version, lines, persists) in [
        (Version::H11, "X: y", true),
        (Version::H11, "Connection: keep-alive", true),
        (Version::H11, "Connection: close", false),
        (Version::H11, "connection: CLOSE", false),
        (Version::H11, "Connection: keep-alive, close", false),
        (Version::H11, "Connection: x ,\tclose", false),
        (Version::H11, "Connection: keep-alive\r\nConnection: close", false),
        (Version::H11, "Connection: closed", true),
        (Version::H11, "Connection: \"close\"", true),
        (Version::H10, "X: y", false),
        (Version::H10, "Connection: keep-alive", true),
        (Version::H10, "Connection: Keep-Alive", true),
        (Version::H10, "Connection: keep-alive, close", false),
        (Version::H10, "Keep-Alive: timeout=5", false),
        (Version::H10, "Connection: keep-alive\r\nTransfer-Encoding: chunked", false),
    ] {
        assert_eq!(persistent(version, &fields(lines)), persists, "{version:?} {lines:?}");
    }
}

// RFC 9110 §7.6.1
#[test]
fn every_field_that_any_connection_line_names_ends_here() {
    let fields = fields("Connection: keep-alive\r\nConnection: , X-One,x-two\t,\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3");
    let ends = |name: &str| is_named_by_connection(&fields, name.as_bytes());
    assert!(connection_names_fields(&fields));
    assert!(ends("X-One") && ends("X-TWO") && ends("keep-alive"));
    assert!(!ends("X-Three") && !ends("X"));
}

// RFC 9110 §7.6.1
#[test]
fn options_that_are_no_fields_name_none() {
    for lines in ["X: y", "Connection: close", "Connection: Keep-Alive, Upgrade", "Connection:", "Connection: ,"] {
        assert!(!connection_names_fields(&fields(lines)), "{lines:?}");
    }
    assert!(connection_names_fields(&fields("Connection: a")));
}

// RFC 9110 §7.6.1: these end here even if nobody names them.
#[test]
fn fields_that_are_known_to_concern_one_connection_end_here() {
    for name in ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "UPGRADE", "Trailer"] {
        assert!(is_hop_by_hop(name.as_bytes()), "{name}");
    }
    for name in ["Host", "Via", "Date", "Content-Length", "T", ""] {
        assert!(!is_hop_by_hop(name.as_bytes()), "{name}");
    }
}
