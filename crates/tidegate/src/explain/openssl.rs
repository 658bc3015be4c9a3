//! What OpenSSL and its kin say of a failed handshake with an endpoint, in nginx's, HAProxy's and Envoy's logs. Not here: Go's
//! TLS, which has words of its own (`go`).

use policy::Cause;

use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

/// nginx and HAProxy send no server name unless they are told to, and large hosts then answer with a plain alert 40.
const HANDSHAKE_FAILURE: &[Candidate] = &[
    likely(
        Cause::TlsNameUnknown,
        "hosts of many names end a handshake that names none with this alert, and proxies send no name unless told to \
         (`proxy_ssl_server_name on`)",
    ),
    possible(Cause::TlsNoCommonParameters, "if the name is sent: one side knows only old versions or ciphers"),
    possible(Cause::TlsClientCertificateWanted, "if the endpoint asks for client certificates"),
];

const NAME_UNKNOWN: &[Candidate] = &[said(Cause::TlsNameUnknown)];
const CERTIFICATE_WANTED: &[Candidate] = &[said(Cause::TlsClientCertificateWanted)];
const CERTIFICATE_REFUSED: &[Candidate] = &[likely(
    Cause::TlsClientCertificateWanted,
    "the alert speaks of a certificate, and it is the endpoint that sends it",
)];
const NOTHING_IN_COMMON: &[Candidate] = &[said(Cause::TlsNoCommonParameters)];
const PLAIN: &[Candidate] = &[
    likely(Cause::TlsNotSpoken, "what came back is no TLS record: mostly plain HTTP"),
    possible(Cause::TlsProtocolError, "if the port is that of a TLS server"),
];
const CLOSED: &[Candidate] = &[said(Cause::TlsClosed)];
const EXPIRED: &[Candidate] = &[said(Cause::CertificateExpired)];
const NOT_YET: &[Candidate] = &[said(Cause::CertificateNotYetValid)];
const WRONG_NAME: &[Candidate] = &[said(Cause::CertificateWrongName)];
const UNTRUSTED: &[Candidate] = &[said(Cause::CertificateUntrusted)];
const ALERT: &[Candidate] = &[said(Cause::TlsAlert)];
const OTHER: &[Candidate] = &[likely(Cause::TlsProtocolError, "the message names no alert and no certificate")];

/// Words in lower case, and what they mean; the first that is there counts. Alert numbers are those of RFC 8446 §6.
const WORDS: &[(&str, &[Candidate])] = &[
    ("certificate has expired", EXPIRED),
    ("certificate_expired", EXPIRED),
    ("not yet valid", NOT_YET),
    ("hostname mismatch", WRONG_NAME),
    ("verify san list", WRONG_NAME),
    ("unable to get local issuer", UNTRUSTED),
    ("self-signed certificate", UNTRUSTED),
    ("self signed certificate", UNTRUSTED),
    ("certificate verify failed", UNTRUSTED),
    ("certificate_verify_failed", UNTRUSTED),
    ("wrong version number", PLAIN),
    ("wrong_version_number", PLAIN),
    ("packet length too long", PLAIN),
    ("http request", PLAIN),
    ("unknown protocol", PLAIN),
    ("unrecognized name", NAME_UNKNOWN),
    ("unrecognized_name", NAME_UNKNOWN),
    ("alert number 112", NAME_UNKNOWN),
    ("certificate required", CERTIFICATE_WANTED),
    ("certificate_required", CERTIFICATE_WANTED),
    ("alert number 116", CERTIFICATE_WANTED),
    ("alert bad certificate", CERTIFICATE_REFUSED),
    ("alert number 42", CERTIFICATE_REFUSED),
    ("alert unknown ca", CERTIFICATE_REFUSED),
    ("alert number 48", CERTIFICATE_REFUSED),
    ("handshake failure", HANDSHAKE_FAILURE),
    ("handshake_failure", HANDSHAKE_FAILURE),
    ("alert number 40", HANDSHAKE_FAILURE),
    ("protocol version", NOTHING_IN_COMMON),
    ("protocol_version", NOTHING_IN_COMMON),
    ("unsupported protocol", NOTHING_IN_COMMON),
    ("unsupported_protocol", NOTHING_IN_COMMON),
    ("no shared cipher", NOTHING_IN_COMMON),
    ("dh key too small", NOTHING_IN_COMMON),
    ("unexpected eof", CLOSED),
    ("peer closed connection", CLOSED),
    ("alert", ALERT),
];

/// What a message means. Something always fits.
pub(super) fn candidates(message: &str) -> &'static [Candidate] {
    let message = message.to_ascii_lowercase();
    WORDS.iter().find(|(words, _)| message.contains(words)).map_or(OTHER, |(_, candidates)| candidates)
}

/// Whether the line is OpenSSL's, with its `error:0A000458:SSL routines::…`.
pub(super) fn wrote(line: &str) -> bool {
    line.contains(":SSL routines:") || line.contains("SSL alert number ")
}

/// What such a line alone says.
pub(super) fn read(line: &str) -> Option<Reading> {
    wrote(line).then(|| Reading::new(Vendor::OpenSsl, line, candidates(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_both_libraries_mean_the_same() {
        let cases = [
            ("SSL: error:0A00010B:SSL routines::wrong version number", Cause::TlsNotSpoken),
            (
                "TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
                Cause::TlsNotSpoken,
            ),
            ("error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112", Cause::TlsNameUnknown),
            ("error:0A000410:SSL routines::sslv3 alert handshake failure:SSL alert number 40", Cause::TlsNameUnknown),
            (
                "error:0A00045C:SSL routines::tlsv13 alert certificate required:SSL alert number 116",
                Cause::TlsClientCertificateWanted,
            ),
            (
                "error:0A00042E:SSL routines::tlsv1 alert protocol version:SSL alert number 70",
                Cause::TlsNoCommonParameters,
            ),
            (
                "error:0A000086:SSL routines::certificate verify failed (certificate has expired)",
                Cause::CertificateExpired,
            ),
            ("268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", Cause::CertificateUntrusted),
            ("error:0A000126:SSL routines::unexpected eof while reading", Cause::TlsClosed),
            ("error:0A000438:SSL routines::tlsv1 alert internal error:SSL alert number 80", Cause::TlsAlert),
            ("error:0A0000C1:SSL routines::something new", Cause::TlsProtocolError),
        ];
        for (message, cause) in cases {
            assert_eq!(candidates(message)[0].cause, cause, "{message}");
        }
    }
}
