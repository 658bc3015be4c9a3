//! The gateway's own part: errors of ours or of this machine, and answers that the configuration asks for.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};

const GATEWAY: Treatment = Treatment {
    phase: Phase::Route,
    status: 500,
    blame: Blame::Gateway,
    delivery: Delivery::NeverSent,
    condition: None,
    replay: Replay::Never,
    level: Level::Error,
    user: user::MISSET,
};

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::InternalError,
        code: Code(9501),
        name: "internal_error",
        error_type: "proxy_internal_error",
        treatment: Treatment { level: Level::Crit, ..GATEWAY },
        happened: "The gateway itself failed.",
        advice: "Report it with the lines of the error log around this one: it is a fault of this program.",
        elsewhere: elsewhere("the gateway failed", "I-", ""),
    },
    Row {
        cause: Cause::ConfigurationError,
        code: Code(9502),
        name: "configuration_error",
        error_type: "proxy_configuration_error",
        treatment: GATEWAY,
        happened: "The configuration asks for something that cannot be done for this request.",
        advice: "The log line says what: mostly a variable in `proxy_pass`, `root` or a regular expression has a value that does not \
                 fit.",
        elsewhere: elsewhere("the configuration cannot be followed", "", "NFCF"),
    },
    Row {
        cause: Cause::TempFileFailed,
        code: Code(9503),
        name: "temp_file_failed",
        error_type: "proxy_internal_error",
        treatment: Treatment { phase: Phase::Request, level: Level::Crit, ..GATEWAY },
        happened: "A request's body could not be kept in a temporary file.",
        advice: "Look whether the disk is full (`df -h`) and whether the gateway's user may write to the folder of \
                 `client_body_temp_path`.",
        elsewhere: elsewhere("a request body cannot be kept", "", ""),
    },
    Row {
        cause: Cause::FileChanged,
        code: Code(9504),
        name: "file_changed",
        error_type: "proxy_internal_error",
        treatment: Treatment { phase: Phase::Deliver, delivery: Delivery::Answered, user: user::CUT, ..GATEWAY },
        happened: "A file became shorter while it was being sent.",
        advice: "Deploy files by writing new ones and renaming them into place (`rsync` does, `cp` does not).",
        elsewhere: elsewhere("the file became shorter while it was sent", "", ""),
    },
    Row {
        cause: Cause::ShutDown,
        code: Code(9505),
        name: "shut_down",
        error_type: "proxy_internal_error",
        treatment: Treatment { status: 503, level: Level::Info, user: user::DOWN, ..GATEWAY },
        happened: "The gateway ended before the request did.",
        advice: "Raise `worker_shutdown_timeout` if requests take longer than a reload or stop waits for them.",
        elsewhere: elsewhere("the gateway is shutting down", "", ""),
    },
    Row {
        cause: Cause::LocalResponse,
        code: Code(9506),
        name: "local_response",
        error_type: "proxy_internal_response",
        treatment: Treatment { status: 503, level: Level::Info, user: user::DOWN, ..GATEWAY },
        happened: "The configuration answers this request itself.",
        advice: "Nothing, if it is wanted: a `return` or an `error_page` says so.",
        elsewhere: elsewhere("answered by the configuration", "LR", "DI"),
    },
    Row {
        cause: Cause::BodyGone,
        code: Code(9507),
        name: "body_gone",
        error_type: "proxy_configuration_error",
        treatment: Treatment { status: 502, delivery: Delivery::MaybeProcessed, ..GATEWAY },
        happened: "The request goes to another location, but its body was streamed to an endpoint and is gone.",
        advice: "Write `proxy_request_buffering on` where the request goes first, so that its body can be sent again.",
        elsewhere: elsewhere("the request's body was streamed to an endpoint and cannot be sent again", "", ""),
    },
];
