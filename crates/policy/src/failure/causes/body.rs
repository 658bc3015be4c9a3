//! The body of the reply, which comes after a head that was good; and the tunnel after an upgrade is `http2`'s neighbour.

use super::user;
use crate::failure::row::{CLOSED, Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

/// Whether another attempt is made is asked only while nothing was sent to the client.
const BODY: Treatment = Treatment {
    phase: Phase::Body,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::Answered,
    condition: Some(Condition::Error),
    replay: Replay::Idempotent,
    level: Level::Error,
    user: user::CUT,
};

const BROKEN: Treatment = Treatment { user: user::BROKEN, ..BODY };

/// It would be the same again.
const TOO_LARGE: Treatment = Treatment { condition: None, replay: Replay::Never, user: user::BROKEN, ..BODY };

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::BodyTruncated,
        code: Code(7001),
        name: "body_truncated",
        error_type: "http_response_incomplete",
        treatment: BODY,
        happened: "The endpoint closed the connection before the body had the length that it had announced.",
        advice: "Look in the application's log: it crashed or was restarted while it answered, or its `Content-Length` is larger than \
                 what it writes (bytes and characters mixed up, a file that shrank).",
        elsewhere: elsewhere(CLOSED, "SD", "UC"),
    },
    Row {
        cause: Cause::ChunksTruncated,
        code: Code(7002),
        name: "chunks_truncated",
        error_type: "http_response_incomplete",
        treatment: BODY,
        happened: "The endpoint closed the connection before the last chunk of the body.",
        advice: "Look in the application's log: it crashed, was restarted, or met with an error while it produced the answer.",
        elsewhere: elsewhere(CLOSED, "SD", "UC"),
    },
    Row {
        cause: Cause::BadChunk,
        code: Code(7003),
        name: "bad_chunk",
        error_type: "http_response_transfer_coding",
        treatment: BROKEN,
        happened: "The chunks of the answer's body are malformed.",
        advice: "Let the application leave chunks to its HTTP library: mostly it sets `Transfer-Encoding: chunked` by hand and then \
                 writes plain content. `proxy_http_version 1.0` avoids chunks until it is repaired.",
        elsewhere: elsewhere("upstream sent invalid chunked response", "PD", "UPE"),
    },
    Row {
        cause: Cause::BodyReset,
        code: Code(7004),
        name: "body_reset",
        error_type: "http_response_incomplete",
        treatment: BODY,
        happened: "The connection was reset within the body of the answer.",
        advice: "Look in the application's log: it was killed while it answered (`dmesg | grep -i oom`), or a firewall or load \
                 balancer on the way ended the connection.",
        elsewhere: elsewhere("recv() failed ({errno})", "SD", "UC"),
    },
    Row {
        cause: Cause::BodyTimeout,
        code: Code(7005),
        name: "body_timeout",
        error_type: "connection_read_timeout",
        treatment: Treatment { status: 504, condition: Some(Condition::Timeout), ..BODY },
        happened: "The endpoint fell silent within the body of its answer.",
        advice: "A stream that may be quiet for long needs a longer `proxy_read_timeout`, or something sent now and then (a comment \
                 line of server-sent events, a ping). Otherwise find out what the application waits for.",
        elsewhere: elsewhere("upstream timed out (110: Connection timed out)", "sD", "UT"),
    },
    Row {
        cause: Cause::BodyTooLarge,
        code: Code(7006),
        name: "body_too_large",
        error_type: "http_response_body_size",
        treatment: TOO_LARGE,
        happened: "The body of the answer is larger than is allowed.",
        advice: "Raise the limit on answers, or let the application send it in parts.",
        elsewhere: elsewhere("upstream sent too big response body", "PH", ""),
    },
    Row {
        cause: Cause::BadTrailer,
        code: Code(7007),
        name: "bad_trailer",
        error_type: "http_protocol_error",
        treatment: BROKEN,
        happened: "The fields behind the last chunk of the answer are malformed.",
        advice: "Let the application end its chunks with an empty line, and keep line ends out of its trailers' values.",
        elsewhere: elsewhere("upstream sent invalid trailer", "PD", "UPE"),
    },
    Row {
        cause: Cause::TrailersTooLarge,
        code: Code(7008),
        name: "trailers_too_large",
        error_type: "http_response_trailer_section_size",
        treatment: TOO_LARGE,
        happened: "The fields behind the last chunk of the answer are too many, or too large together.",
        advice: "Let the application send fewer trailers: 8k and 100 lines are taken.",
        elsewhere: elsewhere("upstream sent too big trailers", "PD", "UPE"),
    },
    Row {
        cause: Cause::TrailerTooLarge,
        code: Code(7009),
        name: "trailer_too_large",
        error_type: "http_response_trailer_size",
        treatment: TOO_LARGE,
        happened: "One field behind the last chunk of the answer is too large.",
        advice: "Let the application send a smaller one: 8k are taken for all trailers together.",
        elsewhere: elsewhere("upstream sent too big trailers", "PD", "UPE"),
    },
    Row {
        cause: Cause::BadContentCoding,
        code: Code(7010),
        name: "bad_content_coding",
        error_type: "http_response_content_coding",
        treatment: BROKEN,
        happened: "The answer's body is not in the content coding that its fields name.",
        advice: "Let only one place compress: mostly the application sets `Content-Encoding: gzip` and sends plain content, or what \
                 was compressed before is compressed again.",
        elsewhere: elsewhere("inflate() failed", "", ""),
    },
];
