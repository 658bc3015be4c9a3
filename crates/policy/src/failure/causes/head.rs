//! The reply is HTTP, but its head cannot be used: malformed, ambiguous about its body, or too large.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

pub(super) const HEAD: Treatment = Treatment {
    phase: Phase::AwaitHead,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::Answered,
    condition: Some(Condition::InvalidHeader),
    replay: Replay::Idempotent,
    level: Level::Error,
    user: user::BROKEN,
};

const SENT: &str = "upstream sent {detail}";
const TOO_BIG: &str = "upstream sent too big header";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::MalformedStatusLine,
        code: Code(6101),
        name: "malformed_status_line",
        error_type: "http_protocol_error",
        treatment: HEAD,
        happened: "The answer's first line is not a status line of HTTP/1.0 or HTTP/1.1.",
        advice: "Let the application write `HTTP/1.1`, a space and three digits of status, as its HTTP library does.",
        elsewhere: elsewhere("upstream sent no valid HTTP/1.0 header", "PH", "UPE"),
    },
    Row {
        cause: Cause::MalformedField,
        code: Code(6102),
        name: "malformed_field",
        error_type: "http_protocol_error",
        treatment: HEAD,
        happened: "A field line of the answer is malformed.",
        advice: "Let the application keep line ends and NUL bytes out of its header values: mostly a value comes unchecked from a \
                 user or a file.",
        elsewhere: elsewhere("upstream sent invalid header: \"{detail}\"", "PH", "UPE"),
    },
    Row {
        cause: Cause::BadLength,
        code: Code(6103),
        name: "bad_length",
        error_type: "http_protocol_error",
        treatment: HEAD,
        happened: "The answer's Content-Length is not a number.",
        advice: "Let the application leave `Content-Length` to its HTTP library.",
        elsewhere: elsewhere(SENT, "PH", "UPE"),
    },
    Row {
        cause: Cause::DuplicateLength,
        code: Code(6104),
        name: "duplicate_length",
        error_type: "http_protocol_error",
        treatment: HEAD,
        happened: "The answer has more than one Content-Length: nobody can say where it ends.",
        advice: "Let only one place set `Content-Length`: mostly the application sets it by hand and its HTTP library again.",
        elsewhere: elsewhere(SENT, "PH", "UPE"),
    },
    Row {
        cause: Cause::LengthAndCoding,
        code: Code(6105),
        name: "length_and_coding",
        error_type: "http_response_transfer_coding",
        treatment: HEAD,
        happened: "The answer has both Content-Length and Transfer-Encoding: nobody can say where it ends.",
        advice: "Let the application set neither by hand; mostly it copies the fields of another server's answer (Spring, Express and \
                 PHP proxies). `proxy_http_version 1.0` avoids chunks until it is repaired.",
        elsewhere: elsewhere(SENT, "PH", "UPE"),
    },
    Row {
        cause: Cause::DuplicateCoding,
        code: Code(6106),
        name: "duplicate_coding",
        error_type: "http_response_transfer_coding",
        treatment: HEAD,
        happened: "The answer has more than one Transfer-Encoding.",
        advice: "Let the application not set `Transfer-Encoding` by hand; mostly it copies the fields of another server's answer. \
                 `proxy_http_version 1.0` avoids chunks until it is repaired.",
        elsewhere: elsewhere(SENT, "PH", "UPE"),
    },
    Row {
        cause: Cause::UnknownCoding,
        code: Code(6107),
        name: "unknown_coding",
        error_type: "http_response_transfer_coding",
        treatment: HEAD,
        happened: "The answer has a transfer coding other than chunked.",
        advice: "Let the application use `Content-Encoding` where it means compression; `chunked` is the only transfer coding in use.",
        elsewhere: elsewhere(SENT, "PH", "UPE"),
    },
    Row {
        cause: Cause::HeadTooLarge,
        code: Code(6108),
        name: "head_too_large",
        error_type: "http_response_header_section_size",
        treatment: HEAD,
        happened: "The answer's head is larger than `proxy_buffer_size` allows.",
        advice: "Raise `proxy_buffer_size` (16k, 32k) in the location, or let the application send less: mostly cookies, tokens or \
                 debugging headers.",
        elsewhere: elsewhere(TOO_BIG, "PH", "UPE"),
    },
    Row {
        cause: Cause::FieldTooLarge,
        code: Code(6109),
        name: "field_too_large",
        error_type: "http_response_header_size",
        treatment: HEAD,
        happened: "One field of the answer takes most of what `proxy_buffer_size` allows for the whole head.",
        advice: "Raise `proxy_buffer_size` (16k, 32k) in the location, or let the application send a smaller field: keep sessions in \
                 a store and only their ids in cookies.",
        elsewhere: elsewhere(TOO_BIG, "PH", "UPE"),
    },
    Row {
        cause: Cause::TooManyFields,
        code: Code(6110),
        name: "too_many_fields",
        error_type: "http_response_header_section_size",
        treatment: HEAD,
        happened: "The answer's head has more than 1,000 field lines.",
        advice: "Let the application send fewer: mostly it adds the same cookie in a loop.",
        elsewhere: elsewhere(TOO_BIG, "PH", "UPE"),
    },
    Row {
        cause: Cause::TooManyInterims,
        code: Code(6111),
        name: "too_many_interims",
        error_type: "http_protocol_error",
        treatment: HEAD,
        happened: "The endpoint sent more than 100 interim answers and no final one.",
        advice: "Let the application send `100`, `102` or `103` a few times at most, and then its answer.",
        elsewhere: elsewhere(TOO_BIG, "PH", "UPE"),
    },
    Row {
        cause: Cause::UnaskedUpgrade,
        code: Code(6112),
        name: "unasked_upgrade",
        error_type: "http_upgrade_failed",
        treatment: HEAD,
        happened: "The endpoint switched protocols (101) without being asked to.",
        advice: "Pass the client's wish on: `proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`; \
                 if the client had none, the application answers 101 where it should not.",
        elsewhere: elsewhere("upstream switched protocols without being asked", "PH", "UPE"),
    },
];
