//! A failure as a member of the `Proxy-Status` field (RFC 9209), written as structured fields are (RFC 8941 §4.1).
//! Not here: who gets to see it, and other members of the field.

use std::fmt::{self, Write as _};

use super::{Evidence, Failure};

/// A member of the field.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Who says it: a token.
    pub intermediary: &'a str,
    /// What failed.
    pub failure: &'a Failure,
    /// What only those may know who run the gateway.
    pub disclosed: Option<Disclosed<'a>>,
}

/// What tells of the inside: to be shown to trusted clients only (RFC 9209 §4).
#[derive(Debug, Clone, Copy)]
pub struct Disclosed<'a> {
    /// The endpoint that was asked last.
    pub next_hop: Option<&'a str>,
}

impl fmt::Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; error={}", self.intermediary, self.failure.row().error_type)?;
        let Some(disclosed) = self.disclosed else { return Ok(()) };
        if let Some(next_hop) = disclosed.next_hop {
            write!(f, "; next-hop={}", Text(next_hop))?;
        }
        extra_parameters(f, self.failure)?;
        write!(f, "; details={}", Text(&self.failure.summary()))
    }
}

/// The parameters that RFC 9209 §2.3 has for single error types.
fn extra_parameters(f: &mut fmt::Formatter<'_>, failure: &Failure) -> fmt::Result {
    let Evidence { alert, head, .. } = failure.evidence();
    match (failure.row().error_type, alert, head) {
        ("tls_alert_received", Some(alert), _) => write!(f, "; alert-id={alert}"),
        ("http_response_header_section_size", _, Some(head)) => write!(f, "; header-section-size={}", head.size),
        ("http_response_header_size", _, Some(head)) => match &head.largest {
            Some((name, size)) => write!(f, "; header-name={}; header-size={size}", Text(name)),
            None => Ok(()),
        },
        ("http_request_error", _, _) => write!(f, "; status-code={}", failure.status().as_u16()),
        _ => Ok(()),
    }
}

/// A string of structured fields: printable ASCII in quotes (RFC 8941 §4.1.6). Anything else becomes a question mark.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => f.write_char(character)?,
                _ => f.write_char('?')?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Cause, HeadSize};

    fn shown(failure: &Failure, disclosed: bool) -> String {
        let disclosed = disclosed.then_some(Disclosed { next_hop: Some("127.0.0.1:3000") });
        Member { intermediary: "tidegate", failure, disclosed }.to_string()
    }

    #[test]
    fn strangers_learn_the_type_and_nothing_else() {
        assert_eq!(shown(&Failure::from_connect_errno(111, false), false), "tidegate; error=connection_refused");
    }

    #[test]
    fn operators_learn_where_and_what() {
        let expected =
            "tidegate; error=connection_refused; next-hop=\"127.0.0.1:3000\"; details=\"TG-2001 connect_refused\"";
        assert_eq!(shown(&Failure::from_connect_errno(111, false), true), expected);
    }

    #[test]
    fn error_types_have_their_own_parameters() {
        let head = HeadSize { size: 5000, limit: 4096, largest: Some(("Set-Cookie".into(), 4000)) };
        let large = |cause| Failure::new(cause).with(|evidence| evidence.head = Some(head.clone()));
        assert!(shown(&large(Cause::HeadTooLarge), true).contains("; header-section-size=5000; details="));
        let field = shown(&large(Cause::FieldTooLarge), true);
        assert!(field.contains("; header-name=\"Set-Cookie\"; header-size=4000; details="));
        let alert = Failure::new(Cause::TlsAlert).with(|evidence| evidence.alert = Some(70));
        assert!(shown(&alert, true).contains("; alert-id=70;"));
        assert!(shown(&Failure::new(Cause::ClientBodyTooLarge), true).contains("; status-code=413;"));
    }

    #[test]
    fn strings_are_quoted_and_stay_ascii() {
        assert_eq!(Text("a\"b\\c\nd\u{e9}").to_string(), "\"a\\\"b\\\\c?d?\"");
    }

    #[test]
    fn every_cause_makes_a_member() {
        for cause in Cause::ALL {
            let member = shown(&Failure::new(*cause), true);
            assert!(member.is_ascii() && !member.contains(['\r', '\n', ',']), "{member}");
        }
    }
}
