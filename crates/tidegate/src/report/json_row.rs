//! Access lines in JSON: ours, those of nginx with `escape=json`, Caddy's, Traefik's, Envoy's. Which member is which value is
//! told by its name, as people name them. Not here: JSON itself (`explain::each_member`).

use super::row::{Field, Reader, Row, Unit};
use crate::explain::each_member;

/// The values of a line; none if it has no status.
pub(super) fn read<'a>(line: &'a [u8], reader: &mut Reader) -> Option<Row<'a>> {
    let mut row = Row::default();
    let (mut fits, mut is_access) = (false, true);
    each_member(line, |object, name, value| {
        // Caddy has a line for the error beside the one for the request, with the status too.
        is_access &= !((object, name) == (b"", b"logger") && value.bytes().starts_with(b"http.log.error"));
        let field = field(object, name);
        if field != Field::Skip {
            let good = reader.set(&mut row, field, value.bytes());
            fits |= good && field == Field::Status;
        }
    });
    (fits && is_access).then_some(row)
}

/// What a member of this name holds.
fn field(object: &[u8], name: &[u8]) -> Field {
    match (object, name) {
        (
            b"" | b"request" | b"http" | b"http_request",
            b"uri" | b"request_uri" | b"path" | b"url" | b"RequestPath" | b"target",
        ) => Field::Target,
        (b"request", b"client_ip" | b"remote_ip") => Field::Client,
        (b"", name) => outermost(name),
        _ => Field::Skip,
    }
}

fn outermost(name: &[u8]) -> Field {
    match name {
        b"time" | b"ts" | b"time_local" | b"time_iso8601" | b"timestamp" | b"@timestamp" | b"msec" | b"start_time"
        | b"date" => Field::Time,
        b"remote_addr" | b"client" | b"client_ip" | b"ip" | b"remote_ip" | b"ClientHost" | b"clientip" => Field::Client,
        b"request" | b"http_request_line" => Field::Request,
        b"status" | b"status_code" | b"response_code" | b"DownstreamStatus" | b"response_status" | b"http_status" => {
            Field::Status
        }
        b"body_bytes_sent" | b"bytes_sent" | b"bytes" | b"size" | b"DownstreamContentSize" => Field::Bytes,
        b"request_time" | b"request_duration" | b"took" => Field::Took(Unit::Seconds),
        // Caddy counts in seconds, Envoy in milliseconds; both name it so, and only Envoy's are whole numbers.
        b"duration" => Field::Took(Unit::SecondsOrWholeMilliseconds),
        b"duration_ms" | b"request_time_ms" | b"latency_ms" => Field::Took(Unit::Milliseconds),
        b"Duration" => Field::Took(Unit::Nanoseconds),
        b"upstream_addr" | b"upstream_host" | b"ServiceAddr" | b"upstream" | b"endpoint" => Field::Endpoints,
        b"failure_code" | b"failure" => Field::Failure,
        b"response_flags" => Field::State,
        _ => Field::Skip,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_text(line: &str) -> Option<(u16, Option<u64>, String, String)> {
        let mut reader = Reader::default();
        let row = read(line.as_bytes(), &mut reader)?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(row.at.is_some(), "{line}");
        Some((row.status, row.took, text(row.target), text(row.client)))
    }

    #[test]
    fn every_ones_names_are_known() {
        let expected = Some((502, Some(12_000), "/a".to_owned(), "192.0.2.1".to_owned()));
        let lines = [
            r#"{"time":"2026-11-25T16:39:28+00:00","remote_addr":"192.0.2.1","request":"GET /a HTTP/1.1","status":502,"request_time":0.012}"#,
            r#"{"time_local":"25/Nov/2026:16:39:28 +0000","remote_addr":"192.0.2.1","request_uri":"/a","status":"502","request_time":"0.012"}"#,
            r#"{"level":"info","ts":1795624768.5,"logger":"http.log.access","request":{"remote_ip":"192.0.2.1","uri":"/a"},"duration":0.012,"status":502}"#,
            r#"{"ClientHost":"192.0.2.1","Duration":12000000,"DownstreamStatus":502,"RequestPath":"/a","time":"2026-11-25T16:39:28Z"}"#,
            r#"{"start_time":"2026-11-25T16:39:28.1Z","client":"192.0.2.1","path":"/a","response_code":502,"duration":12}"#,
        ];
        for line in lines {
            assert_eq!(read_text(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_a_status_is_no_access_line() {
        let caddys_error = r#"{"ts":1795624768.5,"logger":"http.log.error","msg":"EOF","duration":0.012,"status":502}"#;
        for line in [caddys_error, "{}", r#"{"status":"ok"}"#, r#"{"msg":"hello"}"#, "x"] {
            assert_eq!(read(line.as_bytes(), &mut Reader::default()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes, &mut Reader::default());
        }
    }
}
