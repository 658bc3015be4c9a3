//! Sending the request and waiting for the head of the reply: how the connection ended, or which time ran out.

use super::user;
use crate::failure::row::{CLOSED, Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

const AWAIT: Treatment = Treatment {
    phase: Phase::AwaitHead,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::MaybeProcessed,
    condition: Some(Condition::Error),
    replay: Replay::Idempotent,
    level: Level::Error,
    user: user::BROKE_OFF,
};

const SLOW: Treatment = Treatment { status: 504, condition: Some(Condition::Timeout), user: user::SLOW, ..AWAIT };

const TIMED_OUT: &str = "upstream timed out (110: Connection timed out)";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::WriteFailed,
        code: Code(4001),
        name: "write_failed",
        error_type: "connection_terminated",
        treatment: Treatment { phase: Phase::Send, ..AWAIT },
        happened: "The endpoint took no more of the request, and did not answer either.",
        advice: "Look in the application's log why it ended the connection. With large bodies it mostly refuses their size: raise \
                 its limit, or lower `client_max_body_size` here so that the client is told.",
        elsewhere: elsewhere("writev() failed ({errno})", "SH", "UC"),
    },
    Row {
        cause: Cause::WriteTimeout,
        code: Code(4002),
        name: "write_timeout",
        error_type: "connection_write_timeout",
        treatment: Treatment { phase: Phase::Send, ..SLOW },
        happened: "The endpoint stopped reading the request.",
        advice: "Look why the application does not read (all its workers busy, a full disk); `proxy_send_timeout` says how long is \
                 waited between two writes.",
        elsewhere: elsewhere(TIMED_OUT, "sH", "UT"),
    },
    Row {
        cause: Cause::StaleConnection,
        code: Code(5001),
        name: "stale_connection",
        error_type: "connection_terminated",
        treatment: AWAIT,
        happened: "The endpoint closed an idle connection just when it was used again.",
        advice: "Let the application keep idle connections longer than the gateway does: raise its keep-alive time (Node \
                 `server.keepAliveTimeout`, gunicorn `--keep-alive`, uvicorn `--timeout-keep-alive`), or lower `keepalive_timeout` in \
                 the upstream block below it.",
        elsewhere: elsewhere(CLOSED, "SH", "UC"),
    },
    Row {
        cause: Cause::ClosedBeforeReply,
        code: Code(5002),
        name: "closed_before_reply",
        error_type: "connection_terminated",
        treatment: AWAIT,
        happened: "The endpoint took the request on a fresh connection and closed it without an answer.",
        advice: "Look in the application's log: it crashed, was killed for memory (`dmesg | grep -i oom`), was restarted, or its \
                 server killed a worker that took too long (gunicorn `--timeout`, 30 s). If it closes every connection at once, the \
                 port speaks something else: mostly TLS (`proxy_pass https://…`) or FastCGI (`fastcgi_pass`).",
        elsewhere: elsewhere(CLOSED, "SH", "UC"),
    },
    Row {
        cause: Cause::ResetBeforeReply,
        code: Code(5003),
        name: "reset_before_reply",
        error_type: "connection_terminated",
        treatment: AWAIT,
        happened: "The endpoint took the request on a fresh connection and reset it without an answer.",
        advice: "Look in the application's log: a process that is killed, or closes before it has read the whole request, resets \
                 its connections. So does a firewall or load balancer on the way that has forgotten them.",
        elsewhere: elsewhere("recv() failed ({errno})", "SH", "UC"),
    },
    Row {
        cause: Cause::ClosedWithinHead,
        code: Code(5004),
        name: "closed_within_head",
        error_type: "http_response_incomplete",
        treatment: AWAIT,
        happened: "The endpoint began its answer and ended the connection within the head.",
        advice: "Look in the application's log: it ended while it answered, or it writes heads without the empty line at their end.",
        elsewhere: elsewhere(CLOSED, "SH", "UC"),
    },
    Row {
        cause: Cause::ReplyTimeout,
        code: Code(5005),
        name: "reply_timeout",
        error_type: "connection_read_timeout",
        treatment: SLOW,
        happened: "The endpoint took the request and did not answer in time.",
        advice: "Find out what the application waits for (its database, another service), or do long work in the background. If \
                 such an answer may take longer, raise `proxy_read_timeout` in its location; the timers of proxies in front, and of \
                 the application's own server, have to be longer still.",
        elsewhere: elsewhere(TIMED_OUT, "sH", "UT"),
    },
    Row {
        cause: Cause::SilentPath,
        code: Code(5006),
        name: "silent_path",
        error_type: "connection_timeout",
        treatment: SLOW,
        happened: "The endpoint's machine no longer acknowledges what is sent to it.",
        advice: "A NAT or firewall on the way has dropped the idle connection without a word (AWS after 350 s), or the machine is \
                 gone: lower `keepalive_timeout` in the upstream block below that time, and set `proxy_socket_keepalive on`.",
        elsewhere: elsewhere(TIMED_OUT, "sH", "UT"),
    },
    Row {
        cause: Cause::DeadlineExceeded,
        code: Code(5007),
        name: "deadline_exceeded",
        error_type: "http_response_timeout",
        treatment: Treatment { condition: None, replay: Replay::Never, ..SLOW },
        happened: "The time for the whole request ran out, retries included.",
        advice: "Find out which attempts took the time: `$upstream_response_time` shows each of them.",
        elsewhere: elsewhere(TIMED_OUT, "sH", "UT"),
    },
];
