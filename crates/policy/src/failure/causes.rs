//! The rows of all causes, grouped as their codes are. A code is never changed and never given to another cause; a new cause
//! takes the next free number of its group. Not here: how a row is found ([`super::Cause::row`]).

mod body;
mod client;
mod connect;
mod exchange;
mod gateway;
mod head;
mod http2;
mod protocol;
mod route;
mod tls;

use super::row::Row;

/// The groups, in the order of their codes.
pub(super) const ALL: &[&[Row]] = &[
    route::ROWS,
    connect::ROWS,
    tls::ROWS,
    exchange::ROWS,
    protocol::ROWS,
    head::ROWS,
    body::ROWS,
    http2::ROWS,
    client::ROWS,
    gateway::ROWS,
];

/// What users are told, without jargon. One text for each thing that they could do about it.
mod user {
    pub(super) const DOWN: &str = "The service behind this site is not running at the moment. Try again in a minute.";
    pub(super) const BUSY: &str =
        "The service behind this site has too much to do at the moment. Try again in a minute.";
    pub(super) const SLOW: &str = "The service behind this site took too long to answer. If you were sending something, look \
                                   whether it arrived before you send it again.";
    pub(super) const BROKE_OFF: &str = "The service behind this site stopped before it had answered. If you were sending \
                                        something, look whether it arrived before you send it again.";
    pub(super) const BROKEN: &str = "The service behind this site gave an answer that cannot be shown. Trying again will hardly \
                                     help; the people who run the site have to look at it.";
    pub(super) const MISSET: &str = "This site is not set up correctly. Trying again will hardly help; the people who run it \
                                     have to look at it.";
    pub(super) const CUT: &str = "The answer broke off before its end. Load it again.";
    pub(super) const YOURS: &str = "Your program sent something that this site could not understand.";
    pub(super) const YOUR_LINE: &str = "Your connection broke off, or was too slow. Try again.";
}

/// What every cause has to say, and what must fit together in it.
#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::{Cause, Delivery, Replay};
    use super::ALL;

    /// RFC 9209 §2.3.
    const ERROR_TYPES: [&str; 32] = [
        "dns_timeout",
        "dns_error",
        "destination_not_found",
        "destination_unavailable",
        "destination_ip_prohibited",
        "destination_ip_unroutable",
        "connection_refused",
        "connection_terminated",
        "connection_timeout",
        "connection_read_timeout",
        "connection_write_timeout",
        "connection_limit_reached",
        "tls_protocol_error",
        "tls_certificate_error",
        "tls_alert_received",
        "http_request_error",
        "http_request_denied",
        "http_response_incomplete",
        "http_response_header_section_size",
        "http_response_header_size",
        "http_response_body_size",
        "http_response_trailer_section_size",
        "http_response_trailer_size",
        "http_response_transfer_coding",
        "http_response_content_coding",
        "http_response_timeout",
        "http_upgrade_failed",
        "http_protocol_error",
        "proxy_internal_response",
        "proxy_internal_error",
        "proxy_configuration_error",
        "proxy_loop_detected",
    ];

    #[test]
    fn every_error_type_of_rfc_9209_has_a_cause_and_no_other_is_used() {
        let used: HashSet<&str> = ALL.iter().copied().flatten().map(|row| row.error_type).collect();
        assert_eq!(used, HashSet::from(ERROR_TYPES));
    }

    #[test]
    fn names_are_the_causes_in_snake_case() {
        for cause in Cause::ALL {
            let mut snake = String::new();
            for letter in format!("{cause:?}").chars() {
                if letter.is_ascii_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.push(letter.to_ascii_lowercase());
            }
            assert_eq!(cause.name(), snake);
        }
    }

    #[test]
    fn the_first_digit_of_a_code_is_its_groups() {
        let digits: [&[u16]; 10] = [&[1], &[2], &[3], &[4, 5], &[6], &[6], &[7], &[8], &[9], &[9]];
        for (group, digits) in ALL.iter().zip(digits) {
            let found: HashSet<u16> = group.iter().map(|row| row.code.0 / 1000).collect();
            assert_eq!(found, digits.iter().copied().collect());
        }
    }

    #[test]
    fn every_cause_says_what_happened_and_what_to_change_in_whole_sentences() {
        for row in ALL.iter().copied().flatten() {
            let name = row.name;
            for text in [row.happened, row.advice, row.treatment.user] {
                assert!(text.ends_with('.') && !text.contains("  ") && !text.contains('\n'), "{name}: {text}");
                assert!(text.starts_with(|first: char| first.is_uppercase() || first == '`'), "{name}: {text}");
            }
            assert!(row.happened.len() <= 120, "{name}: what happened is one short sentence");
            assert!(row.advice.len() <= 420, "{name}: advice fits a log line ({})", row.advice.len());
            assert_eq!(row.advice.matches('`').count() % 2, 0, "{name}: backticks come in pairs");
            assert!(!row.advice.contains('"') && !row.happened.contains('"'), "{name}: quotes would end a log field");
            assert!(!row.elsewhere.nginx.is_empty(), "{name} has a phrase");
        }
    }

    #[test]
    fn retries_follow_from_what_was_delivered() {
        for row in ALL.iter().copied().flatten() {
            let treatment = &row.treatment;
            let fits = match (treatment.condition, treatment.replay) {
                (None, replay) => replay == Replay::Never,
                (Some(_), Replay::Any) => treatment.delivery == Delivery::NeverSent,
                (Some(_), Replay::Idempotent) => treatment.delivery != Delivery::NeverSent,
                (Some(_), Replay::Never) => false,
            };
            assert!(fits, "{}: {treatment:?}", row.name);
        }
    }

    #[test]
    fn statuses_are_errors() {
        for row in ALL.iter().copied().flatten() {
            assert!((400..600).contains(&row.treatment.status), "{}", row.name);
        }
    }
}
