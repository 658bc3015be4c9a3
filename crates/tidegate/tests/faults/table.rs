//! What the gateway does about each mode: what clients get, which cause the log names, and whether the other endpoint saves
//! it. Not here: the modes (`misbehave`), and how they are tried.
//!
//! With the configuration of `misbehave::trial`: timeouts of a second, kept connections, and everything that can be is tried
//! elsewhere. A POST never is once it was sent.

use policy::Cause;
use tidegate::misbehave::trial::Got::{self, Cut, Whole};

/// A mode's row.
pub(crate) struct Row {
    pub(crate) mode: &'static str,
    /// What a GET gets, where the faulty endpoint is alone.
    pub(crate) alone: Got,
    /// The causes by which the log may name that: several where it depends on which of two packets comes first.
    pub(crate) causes: &'static [Cause],
    /// What a GET gets, where another endpoint is well.
    pub(crate) pair: Got,
    /// What a POST gets there; several again.
    pub(crate) post: &'static [Got],
}

const fn row(mode: &'static str, alone: Got, causes: &'static [Cause], pair: Got, post: &'static [Got]) -> Row {
    Row { mode, alone, causes, pair, post }
}

pub(crate) const ROWS: &[Row] = &[
    // Connecting.
    row("refuse", Whole(502), &[Cause::ConnectRefused], Whole(200), &[Whole(200)]),
    row("full-backlog", Whole(504), &[Cause::ConnectTimeout], Whole(200), &[Whole(200)]),
    row(
        "reset-on-accept",
        Whole(502),
        &[Cause::ConnectReset, Cause::ResetBeforeReply, Cause::WriteFailed],
        Whole(200),
        &[Whole(502), Whole(200)],
    ),
    row(
        "close-on-accept",
        Whole(502),
        &[Cause::ClosedBeforeReply, Cause::ResetBeforeReply, Cause::WriteFailed],
        Whole(200),
        &[Whole(502), Whole(200)],
    ),
    // Silence.
    row("silent", Whole(504), &[Cause::ReplyTimeout], Whole(200), &[Whole(504)]),
    row("deaf", Whole(504), &[Cause::ReplyTimeout], Whole(200), &[Whole(504)]),
    row("silent-in-head", Whole(504), &[Cause::ReplyTimeout], Whole(200), &[Whole(504)]),
    row("drip-head", Whole(504), &[Cause::ReplyTimeout], Whole(200), &[Whole(504)]),
    row("delayed", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("stall-in-body", Cut(200), &[Cause::BodyTimeout], Cut(200), &[Cut(200)]),
    row("drip-body", Whole(200), &[], Whole(200), &[Whole(200)]),
    // The connection ends.
    row("close-before-reply", Whole(502), &[Cause::ClosedBeforeReply], Whole(200), &[Whole(502)]),
    row("reset-before-reply", Whole(502), &[Cause::ResetBeforeReply], Whole(200), &[Whole(502)]),
    row("worker-dies", Whole(502), &[Cause::ClosedBeforeReply], Whole(200), &[Whole(502)]),
    row("close-in-head", Whole(502), &[Cause::ClosedWithinHead], Whole(200), &[Whole(502)]),
    row("reset-in-head", Whole(502), &[Cause::ClosedWithinHead], Whole(200), &[Whole(502)]),
    row("truncated-length", Cut(200), &[Cause::BodyTruncated], Whole(200), &[Cut(200)]),
    row("reset-in-body", Cut(200), &[Cause::BodyReset], Whole(200), &[Cut(200)]),
    row("truncated-chunk", Cut(200), &[Cause::ChunksTruncated], Cut(200), &[Cut(200)]),
    row("no-last-chunk", Cut(200), &[Cause::ChunksTruncated], Cut(200), &[Cut(200)]),
    // The head of the answer.
    row("garbage", Whole(502), &[Cause::NotHttp], Whole(200), &[Whole(502)]),
    row("html-only", Whole(502), &[Cause::BodyWithoutHead], Whole(200), &[Whole(502)]),
    row("no-status", Whole(502), &[Cause::BodyWithoutHead], Whole(200), &[Whole(502)]),
    row("bad-status", Whole(502), &[Cause::MalformedStatusLine], Whole(200), &[Whole(502)]),
    row("status-out-of-range", Whole(502), &[Cause::MalformedStatusLine], Whole(200), &[Whole(502)]),
    row("wrong-version", Whole(502), &[Cause::MalformedStatusLine], Whole(200), &[Whole(502)]),
    row("bare-lf-head", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("obs-fold", Whole(502), &[Cause::MalformedField], Whole(200), &[Whole(502)]),
    row("space-before-colon", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("no-colon", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("nul-in-field", Whole(502), &[Cause::MalformedField], Whole(200), &[Whole(502)]),
    row("cr-in-field", Whole(502), &[Cause::MalformedField], Whole(200), &[Whole(502)]),
    row("big-head", Whole(502), &[Cause::HeadTooLarge], Whole(200), &[Whole(502)]),
    row("big-field", Whole(502), &[Cause::FieldTooLarge], Whole(200), &[Whole(502)]),
    row("many-fields", Whole(502), &[Cause::TooManyFields, Cause::HeadTooLarge], Whole(200), &[Whole(502)]),
    row("endless-head", Whole(502), &[Cause::HeadTooLarge], Whole(200), &[Whole(502)]),
    row("answer-in-pieces", Whole(200), &[], Whole(200), &[Whole(200)]),
    // The length of the answer.
    row("length-and-chunked", Whole(502), &[Cause::LengthAndCoding], Whole(200), &[Whole(502)]),
    row("two-lengths", Whole(502), &[Cause::DuplicateLength], Whole(200), &[Whole(502)]),
    row("same-length-twice", Whole(502), &[Cause::DuplicateLength], Whole(200), &[Whole(502)]),
    row("negative-length", Whole(502), &[Cause::BadLength], Whole(200), &[Whole(502)]),
    row("plus-length", Whole(502), &[Cause::BadLength], Whole(200), &[Whole(502)]),
    row("huge-length", Whole(502), &[Cause::BadLength], Whole(200), &[Whole(502)]),
    row("unknown-coding", Whole(502), &[Cause::UnknownCoding], Whole(200), &[Whole(502)]),
    row("two-codings", Whole(502), &[Cause::DuplicateCoding], Whole(200), &[Whole(502)]),
    row("chunked-in-http10", Whole(200), &[], Whole(200), &[Whole(200)]),
    // The body of the answer.
    row("bad-chunk-size", Whole(502), &[Cause::BadChunk], Whole(200), &[Whole(502)]),
    row("huge-chunk-size", Whole(502), &[Cause::BadChunk], Whole(200), &[Whole(502)]),
    row("long-chunk", Whole(502), &[Cause::BadChunk], Whole(200), &[Whole(502)]),
    row("bare-lf-chunk", Whole(502), &[Cause::BadChunk], Whole(200), &[Whole(502)]),
    row("big-trailer", Cut(200), &[Cause::TrailerTooLarge], Cut(200), &[Cut(200)]),
    row("surplus", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("second-answer", Whole(200), &[], Whole(200), &[Whole(200)]),
    // Other protocols.
    row("tls-alert", Whole(502), &[Cause::SpeaksTls], Whole(200), &[Whole(502)]),
    row("http2-settings", Whole(502), &[Cause::SpeaksHttp2], Whole(200), &[Whole(502)]),
    row("fastcgi", Whole(502), &[Cause::SpeaksFastcgi], Whole(200), &[Whole(502)]),
    row("ssh", Whole(502), &[Cause::SpeaksSsh], Whole(200), &[Whole(502)]),
    row("smtp", Whole(502), &[Cause::SpeaksMail], Whole(200), &[Whole(502)]),
    row("mysql", Whole(502), &[Cause::SpeaksMysql], Whole(200), &[Whole(502)]),
    row("postgresql", Whole(502), &[Cause::SpeaksPostgres], Whole(200), &[Whole(502)]),
    row("redis", Whole(502), &[Cause::SpeaksRedis], Whole(200), &[Whole(502)]),
    row("amqp", Whole(502), &[Cause::SpeaksAmqp], Whole(200), &[Whole(502)]),
    row("gzip-only", Whole(502), &[Cause::BodyWithoutHead], Whole(200), &[Whole(502)]),
    row("proxy-echo", Whole(502), &[Cause::EchoesProxyHeader], Whole(200), &[Whole(502)]),
    row("echo", Whole(502), &[Cause::EchoesRequest], Whole(200), &[Whole(502)]),
    // While the request is sent.
    row("early-413", Whole(413), &[], Whole(413), &[Whole(413)]),
    row("early-401-reset", Whole(401), &[], Whole(401), &[Whole(401)]),
    row("early-answer", Whole(200), &[], Whole(200), &[Whole(200)]),
    row(
        "close-in-request",
        Whole(502),
        &[Cause::ClosedBeforeReply, Cause::ResetBeforeReply],
        Whole(200),
        &[Whole(502), Whole(200)],
    ),
    row("no-continue", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("unasked-101", Whole(502), &[Cause::UnaskedUpgrade], Whole(200), &[Whole(502)]),
    row("unasked-100s", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("endless-interim", Whole(502), &[Cause::TooManyInterims], Whole(200), &[Whole(502)]),
    // Connections that are kept.
    row("closes-idle", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("announces-idle", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("closes-after-requests", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("lies-about-keep-alive", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("close-on-reuse", Whole(200), &[Cause::StaleConnection], Whole(200), &[Whole(502)]),
    row("reset-on-reuse", Whole(200), &[Cause::StaleConnection], Whole(200), &[Whole(502)]),
    row("408-on-reuse", Whole(200), &[Cause::StaleConnection], Whole(200), &[Whole(408)]),
    // Statuses.
    row("status-500", Whole(500), &[], Whole(200), &[Whole(500)]),
    row("status-502", Whole(502), &[], Whole(200), &[Whole(502)]),
    row("status-503", Whole(503), &[], Whole(200), &[Whole(503)]),
    row("status-504", Whole(504), &[], Whole(200), &[Whole(504)]),
    row("status-429", Whole(429), &[], Whole(200), &[Whole(429)]),
    row("status-421", Whole(421), &[], Whole(421), &[Whole(421)]),
    row("status-425", Whole(425), &[], Whole(425), &[Whole(425)]),
    // All is well.
    row("well", Whole(200), &[], Whole(200), &[Whole(200)]),
    row("flapping", Whole(502), &[Cause::ClosedBeforeReply], Whole(200), &[Whole(502)]),
];
