//! Tunnels after an upgrade, and what HTTP/2 adds: connections that carry many requests end otherwise.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

const TUNNEL: Treatment = Treatment {
    phase: Phase::Tunnel,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::Answered,
    condition: None,
    replay: Replay::Never,
    level: Level::Info,
    user: user::CUT,
};

const STREAM: Treatment = Treatment {
    phase: Phase::AwaitHead,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::MaybeProcessed,
    condition: Some(Condition::Error),
    replay: Replay::Idempotent,
    level: Level::Error,
    user: user::BROKE_OFF,
};

/// The protocol says that the request was not looked at (RFC 9113 §8.7).
const UNSEEN: Treatment = Treatment { delivery: Delivery::NeverSent, replay: Replay::Any, user: user::DOWN, ..STREAM };

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::TunnelTimeout,
        code: Code(8001),
        name: "tunnel_timeout",
        error_type: "connection_read_timeout",
        treatment: Treatment { status: 504, ..TUNNEL },
        happened: "Nothing went through an upgraded connection (such as a WebSocket) for too long.",
        advice: "Let the application or the client send pings, more often than `proxy_read_timeout` says; or raise it.",
        elsewhere: elsewhere("upstream timed out (110: Connection timed out)", "sD", "SI"),
    },
    Row {
        cause: Cause::TunnelReset,
        code: Code(8002),
        name: "tunnel_reset",
        error_type: "connection_terminated",
        treatment: Treatment { level: Level::Error, ..TUNNEL },
        happened: "The endpoint reset an upgraded connection (such as a WebSocket).",
        advice: "Look in the application's log why it ended; clients have to connect again by themselves.",
        elsewhere: elsewhere("{detail}() failed ({errno})", "SD", "UC"),
    },
    Row {
        cause: Cause::H2Goaway,
        code: Code(8101),
        name: "h2_goaway",
        error_type: "connection_terminated",
        treatment: UNSEEN,
        happened: "The endpoint ended the HTTP/2 connection (GOAWAY) before it looked at the request.",
        advice: "Nothing, if it was restarted or limits the requests of a connection: the request is sent again. An error code other \
                 than 0 says what the endpoint did not like.",
        elsewhere: elsewhere("upstream sent goaway with error {detail}", "SH", "UR"),
    },
    Row {
        cause: Cause::H2StreamRefused,
        code: Code(8102),
        name: "h2_stream_refused",
        error_type: "connection_terminated",
        treatment: UNSEEN,
        happened: "The endpoint refused the HTTP/2 stream (REFUSED_STREAM) before it looked at the request.",
        advice: "Raise the endpoint's limit of concurrent streams, or add endpoints.",
        elsewhere: elsewhere("upstream rejected request with error {detail}", "SH", "UR"),
    },
    Row {
        cause: Cause::H2StreamReset,
        code: Code(8103),
        name: "h2_stream_reset",
        error_type: "connection_terminated",
        treatment: STREAM,
        happened: "The endpoint reset the HTTP/2 stream before it had answered.",
        advice: "Look in the application's log: its handler failed, or met its own deadline.",
        elsewhere: elsewhere("upstream rejected request with error {detail}", "SH", "UR"),
    },
    Row {
        cause: Cause::H2ProtocolError,
        code: Code(8104),
        name: "h2_protocol_error",
        error_type: "http_protocol_error",
        treatment: Treatment { user: user::BROKEN, ..STREAM },
        happened: "The endpoint broke the rules of HTTP/2.",
        advice: "Bring the application's HTTP/2 library up to date, or write `proxy_http_version 1.1`.",
        elsewhere: elsewhere("upstream sent invalid http2 frame", "PH", "UPE"),
    },
    Row {
        cause: Cause::H2NotSpoken,
        code: Code(8105),
        name: "h2_not_spoken",
        error_type: "http_protocol_error",
        treatment: Treatment { delivery: Delivery::NeverSent, replay: Replay::Any, user: user::MISSET, ..STREAM },
        happened: "The endpoint does not speak HTTP/2 on this port.",
        advice: "Write `proxy_http_version 1.1`, or name the endpoint's HTTP/2 port.",
        elsewhere: elsewhere("upstream sent invalid http2 frame", "PH", "UPE"),
    },
];
