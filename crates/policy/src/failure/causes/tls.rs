//! The TLS handshake with an endpoint.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

const TLS: Treatment = Treatment {
    phase: Phase::Tls,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::NeverSent,
    condition: Some(Condition::Error),
    replay: Replay::Any,
    level: Level::Error,
    user: user::MISSET,
};

const HANDSHAKE: &str = "SSL_do_handshake() failed (SSL: {detail})";
const CERTIFICATE: &str = "upstream SSL certificate verify error: ({detail})";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::TlsAlert,
        code: Code(3001),
        name: "tls_alert",
        error_type: "tls_alert_received",
        treatment: TLS,
        happened: "The endpoint refused the TLS handshake with an alert.",
        advice: "The alert's number says why (RFC 8446 §6); the endpoint's own log says more. Try the same by hand: \
                 `openssl s_client -connect HOST:PORT -servername NAME`.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsNoCommonParameters,
        code: Code(3002),
        name: "tls_no_common_parameters",
        error_type: "tls_alert_received",
        treatment: TLS,
        happened: "The endpoint and the gateway have no TLS version or cipher in common.",
        advice: "Let the endpoint speak TLS 1.2 or 1.3; otherwise widen `proxy_ssl_protocols` and `proxy_ssl_ciphers`. Some \
                 servers say the same when the server name is missing: `proxy_ssl_server_name on`.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsNameUnknown,
        code: Code(3003),
        name: "tls_name_unknown",
        error_type: "tls_alert_received",
        treatment: TLS,
        happened: "The endpoint does not serve the name that it was asked for.",
        advice: "Send the name that it expects: `proxy_ssl_server_name on` and `proxy_ssl_name NAME`.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsClientCertificateWanted,
        code: Code(3004),
        name: "tls_client_certificate_wanted",
        error_type: "tls_alert_received",
        treatment: TLS,
        happened: "The endpoint wants a client certificate and got none, or one that it does not trust.",
        advice: "Give it one: `proxy_ssl_certificate` and `proxy_ssl_certificate_key`, signed by an authority that it trusts.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsNotSpoken,
        code: Code(3005),
        name: "tls_not_spoken",
        error_type: "tls_protocol_error",
        treatment: TLS,
        happened: "The endpoint does not speak TLS on this port: it answered in plain text.",
        advice: "Write `proxy_pass http://…` in place of `https://…`, or name the endpoint's TLS port.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsProtocolError,
        code: Code(3006),
        name: "tls_protocol_error",
        error_type: "tls_protocol_error",
        treatment: Treatment { user: user::BROKEN, ..TLS },
        happened: "The endpoint broke the TLS protocol.",
        advice: "Try the same by hand: `openssl s_client -connect HOST:PORT -servername NAME`; look for a middlebox on the way.",
        elsewhere: elsewhere(HANDSHAKE, "SC", "UF"),
    },
    Row {
        cause: Cause::CertificateExpired,
        code: Code(3007),
        name: "certificate_expired",
        error_type: "tls_certificate_error",
        treatment: TLS,
        happened: "The endpoint's certificate has expired.",
        advice: "Renew the endpoint's certificate and let it load the new one: many servers keep the old one until a reload.",
        elsewhere: elsewhere(CERTIFICATE, "SC", "UF"),
    },
    Row {
        cause: Cause::CertificateNotYetValid,
        code: Code(3008),
        name: "certificate_not_yet_valid",
        error_type: "tls_certificate_error",
        treatment: TLS,
        happened: "The endpoint's certificate is not valid yet.",
        advice: "Set this machine's clock (`timedatectl`); if it is right, the certificate was made too early or by a wrong clock.",
        elsewhere: elsewhere(CERTIFICATE, "SC", "UF"),
    },
    Row {
        cause: Cause::CertificateWrongName,
        code: Code(3009),
        name: "certificate_wrong_name",
        error_type: "tls_certificate_error",
        treatment: TLS,
        happened: "The endpoint's certificate is for other names.",
        advice: "Check against a name of the certificate: `proxy_ssl_name NAME` (with `proxy_ssl_server_name on`), or get a \
                 certificate for the name in use.",
        elsewhere: elsewhere("upstream SSL certificate does not match \"{detail}\"", "SC", "UF"),
    },
    Row {
        cause: Cause::CertificateUntrusted,
        code: Code(3010),
        name: "certificate_untrusted",
        error_type: "tls_certificate_error",
        treatment: TLS,
        happened: "The endpoint's certificate is signed by an authority that is not trusted here.",
        advice: "Name the authority's certificate in `proxy_ssl_trusted_certificate`; let the endpoint send its intermediate \
                 certificates too. `proxy_ssl_verify off` trusts anybody.",
        elsewhere: elsewhere(CERTIFICATE, "SC", "UF"),
    },
    Row {
        cause: Cause::TlsClosed,
        code: Code(3011),
        name: "tls_closed",
        error_type: "connection_terminated",
        treatment: Treatment { user: user::DOWN, ..TLS },
        happened: "The endpoint closed the connection within the TLS handshake.",
        advice: "Look whether the application restarts, whether the port speaks TLS at all, and whether it wants the server's name: \
                 `proxy_ssl_server_name on`.",
        elsewhere: elsewhere("peer closed connection in SSL handshake", "SC", "UF"),
    },
    Row {
        cause: Cause::TlsTimeout,
        code: Code(3012),
        name: "tls_timeout",
        error_type: "connection_timeout",
        treatment: Treatment { status: 504, condition: Some(Condition::Timeout), user: user::SLOW, ..TLS },
        happened: "The endpoint accepted the connection and did not finish the TLS handshake in time.",
        advice: "Look at the endpoint's load; a port that does not speak TLS waits just as silently. `proxy_connect_timeout` says \
                 how long is waited.",
        elsewhere: elsewhere("upstream timed out (110: Connection timed out)", "sC", "UF"),
    },
];
