//! The client's side: no endpoint is to blame, and no other attempt would help.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};

const CLIENT: Treatment = Treatment {
    phase: Phase::Request,
    status: 400,
    blame: Blame::Client,
    delivery: Delivery::NeverSent,
    condition: None,
    replay: Replay::Never,
    level: Level::Info,
    user: user::YOURS,
};

const LINE: Treatment = Treatment { user: user::YOUR_LINE, ..CLIENT };

const TYPE: &str = "http_request_error";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::ClientGone,
        code: Code(9001),
        name: "client_gone",
        error_type: TYPE,
        treatment: Treatment { phase: Phase::Deliver, status: 499, delivery: Delivery::MaybeProcessed, ..LINE },
        happened: "The client closed its connection before it had the whole answer.",
        advice: "Nothing, if users left the page. If many go after the same time, a timer in front of this gateway is shorter than \
                 the answer takes: make the answer faster, or that timer longer.",
        elsewhere: elsewhere("client prematurely closed connection", "CH", "DC"),
    },
    Row {
        cause: Cause::ClientCutOff,
        code: Code(9002),
        name: "client_cut_off",
        error_type: TYPE,
        treatment: LINE,
        happened: "The client closed its connection before it had sent the whole request.",
        advice: "Nothing, if a user stopped an upload. If uploads of one size break off, look for a limit in front of this gateway.",
        elsewhere: elsewhere("client prematurely closed connection", "CR", "DC"),
    },
    Row {
        cause: Cause::ClientTimeout,
        code: Code(9003),
        name: "client_timeout",
        error_type: TYPE,
        treatment: Treatment { status: 408, ..LINE },
        happened: "The client did not send its request in time.",
        advice: "Clients on slow lines may need a longer `client_header_timeout` or `client_body_timeout`; each counts between two \
                 reads.",
        elsewhere: elsewhere("client timed out (110: Connection timed out)", "cR", ""),
    },
    Row {
        cause: Cause::ClientStalled,
        code: Code(9004),
        name: "client_stalled",
        error_type: TYPE,
        treatment: Treatment { phase: Phase::Deliver, status: 408, delivery: Delivery::Answered, ..LINE },
        happened: "The client took nothing of its answer for too long.",
        advice: "Clients on slow lines may need a longer `send_timeout`; it counts between two writes.",
        elsewhere: elsewhere("client timed out (110: Connection timed out)", "cD", ""),
    },
    Row {
        cause: Cause::ClientMalformed,
        code: Code(9005),
        name: "client_malformed",
        error_type: TYPE,
        treatment: CLIENT,
        happened: "The client's request breaks the rules of HTTP.",
        advice: "The log line says which part of it. Scanners send such requests all day; a client of yours has to be repaired.",
        elsewhere: elsewhere("client sent invalid request", "PR", "DPE"),
    },
    Row {
        cause: Cause::ClientHeadTooLarge,
        code: Code(9006),
        name: "client_head_too_large",
        error_type: TYPE,
        treatment: CLIENT,
        happened: "The head of the client's request is too large.",
        advice: "Mostly cookies have piled up: let the application set fewer of them. `large_client_header_buffers` says how much is \
                 taken.",
        elsewhere: elsewhere("client sent too long header line", "PR", ""),
    },
    Row {
        cause: Cause::ClientBodyTooLarge,
        code: Code(9007),
        name: "client_body_too_large",
        error_type: TYPE,
        treatment: Treatment { status: 413, user: "What you sent is larger than this site takes.", ..CLIENT },
        happened: "The body of the client's request is larger than `client_max_body_size` allows.",
        advice: "Raise `client_max_body_size` in the location that takes uploads; the default is 1m. The application has a limit of \
                 its own (`upload_max_filesize`, `post_max_size`, a body parser).",
        elsewhere: elsewhere("client intended to send too large body", "PR", ""),
    },
    Row {
        cause: Cause::ClientDenied,
        code: Code(9008),
        name: "client_denied",
        error_type: "http_request_denied",
        treatment: Treatment { status: 403, level: Level::Error, user: "You may not see this page.", ..CLIENT },
        happened: "The configuration forbids the request.",
        advice: "Look at `allow`, `deny`, `auth_basic` and `internal` in the location; behind another proxy, the client's address is \
                 that proxy's.",
        elsewhere: elsewhere("access forbidden by rule", "PR", "UAEX"),
    },
    Row {
        cause: Cause::ClientLimited,
        code: Code(9009),
        name: "client_limited",
        error_type: TYPE,
        treatment: Treatment { status: 503, level: Level::Error, user: user::BUSY, ..CLIENT },
        happened: "The client sends more requests than the configuration lets it.",
        advice: "Raise `rate` or `burst` if this is ordinary use; `limit_req_status 429` tells clients why.",
        elsewhere: elsewhere("limiting requests", "PR", "RL"),
    },
];
