//! Which form a client can read: from what it accepts (RFC 9110 §12.5.1) and what its browser says of the request.
//! Not here: the forms themselves.

use crate::local::Fields;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A page, for a browser that shows it to somebody.
    Page,
    /// Problem details (RFC 9457), for programs.
    Problem,
    /// One line of text.
    Line,
    /// nginx's page, for clients that say nothing of what they accept.
    Nginx,
}

/// The form for a request.
pub fn form(fields: &dyn Fields) -> Form {
    let Some(accept) = fields.first("accept") else { return Form::Nginx };
    let (html, json) = (quality(accept, is_html), quality(accept, is_json));
    match fields.first("sec-fetch-dest") {
        Some(b"document" | b"iframe" | b"frame") if html > 0 => Form::Page,
        // A script's request: it reads data, whatever it says it accepts.
        Some(b"empty") => Form::Problem,
        Some(_) => Form::Line,
        None if html > 0 && html >= json && fields.first("x-requested-with").is_none() => Form::Page,
        None if json > 0 => Form::Problem,
        None => Form::Line,
    }
}

/// The highest quality, in thousandths, of the media ranges that fit. Ranges with `*` fit nothing in particular.
fn quality(accept: &[u8], fits: fn(&str) -> bool) -> u32 {
    let text = String::from_utf8_lossy(accept).to_ascii_lowercase();
    let ranges = text.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        fits(parts.next()?).then(|| parts.find_map(|part| part.strip_prefix("q=").map(thousandths)).unwrap_or(1000))
    });
    ranges.max().unwrap_or(0)
}

fn thousandths(text: &str) -> u32 {
    let value: f64 = text.trim().parse().unwrap_or(0.0);
    (value.clamp(0.0, 1.0) * 1000.0) as u32
}

fn is_html(range: &str) -> bool {
    matches!(range, "text/html" | "application/xhtml+xml")
}

fn is_json(range: &str) -> bool {
    range == "application/json" || range.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pairs(&'static [(&'static str, &'static str)]);

    impl Fields for Pairs {
        fn first(&self, name: &str) -> Option<&[u8]> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
        }
    }

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    #[test]
    fn navigations_get_a_page() {
        assert_eq!(form(&Pairs(&[("accept", BROWSER)])), Form::Page);
        assert_eq!(form(&Pairs(&[("accept", BROWSER), ("sec-fetch-dest", "document")])), Form::Page);
    }

    #[test]
    fn scripts_and_apis_get_problem_details() {
        assert_eq!(form(&Pairs(&[("accept", "*/*"), ("sec-fetch-dest", "empty")])), Form::Problem);
        assert_eq!(form(&Pairs(&[("accept", "application/json")])), Form::Problem);
        assert_eq!(form(&Pairs(&[("accept", "application/vnd.api+json, */*")])), Form::Problem);
        assert_eq!(form(&Pairs(&[("accept", "text/html;q=0.2, application/json")])), Form::Problem);
    }

    #[test]
    fn tools_and_embedded_things_get_a_line() {
        assert_eq!(form(&Pairs(&[("accept", "*/*")])), Form::Line);
        assert_eq!(
            form(&Pairs(&[("accept", "image/avif,image/webp,*/*;q=0.8"), ("sec-fetch-dest", "image")])),
            Form::Line
        );
        assert_eq!(form(&Pairs(&[("accept", "text/html;q=0")])), Form::Line);
    }

    #[test]
    fn those_who_say_nothing_get_what_nginx_says() {
        assert_eq!(form(&Pairs(&[])), Form::Nginx);
    }
}
