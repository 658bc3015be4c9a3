//! A report as one page that needs nothing else: plots are SVG, there is no script, and it follows the reader's light or dark
//! setting. Everything from a log is escaped. Not here: what it says (`findings`).

mod cards;
mod distribution;
mod markup;
mod over_time;
mod plot;
mod tables;

use super::findings::Findings;
use super::units::{plural, size, span};
use super::wording::later;
use markup::{Html, escaped};

const STYLE: &str = include_str!("html/style.css");

/// The whole page.
pub(super) fn page(findings: &Findings) -> String {
    let mut html = Html::default();
    html.push(&format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title>\n<style>{STYLE}</style></head>\n<body><main>",
        escaped(&title(findings))
    ));
    head(&mut html, findings);
    cards::put(&mut html, findings);
    cards::changes(&mut html, findings);
    over_time::put(&mut html, findings);
    distribution::put(&mut html, findings);
    tables::put(&mut html, findings);
    foot(&mut html, findings);
    html.push("</main></body></html>\n");
    html.into_text()
}

fn title(findings: &Findings) -> String {
    match findings.span {
        Some((first, last)) => format!("Report, {first} to {last}"),
        None => "Report".to_owned(),
    }
}

fn head(html: &mut Html, findings: &Findings) {
    let when =
        findings.span.map(|(first, last)| format!("{first} – {} ({})", later(first, last), span(last.0 - first.0)));
    html.open("header", "");
    html.element("h1", "", "What failed, why, and what to change");
    html.element("p", "muted", &when.unwrap_or_default());
    html.close("header");
}

fn foot(html: &mut Html, findings: &Findings) {
    html.open("footer", "muted");
    for note in &findings.notes {
        html.open("p", "");
        html.code(note);
        html.close("p");
    }
    let sources = findings.sources.iter().map(|source| {
        let form = if source.form.is_empty() { "not understood: left out" } else { &source.form };
        format!("{} ({form}, {})", source.name, size(source.bytes))
    });
    let read = format!("{} of {}", plural(findings.lines, "line"), sources.collect::<Vec<_>>().join("; "));
    html.element("p", "", &read);
    html.element("p", "", "Made by tidegate report.");
    html.close("footer");
}

#[cfg(test)]
mod tests {
    use super::super::findings::Source;
    use super::super::row::Reader;
    use super::super::sniff::Form;
    use super::super::tally::Tally;
    use super::*;

    fn page_of(lines: &[&str]) -> String {
        let mut tally = Tally::default();
        for line in lines {
            let (form, _) = Form::of(&[line.as_bytes()], &[]).unwrap();
            tally.take(&form, line.as_bytes(), &mut Reader::default());
        }
        let source = Source { name: "<x>.log".to_owned(), form: "combined".to_owned(), bytes: 1 };
        page(&Findings::of(tally, vec![source], 10))
    }

    #[test]
    fn what_logs_hold_cannot_become_markup() {
        let line = "<b>evil</b> - - [25/Nov/2026:16:39:28 +0000] \"GET /<script>alert(1)</script>&x HTTP/1.1\" 502 1 \"-\" \"-\"";
        let page = page_of(&[line]);
        assert!(!page.contains("<script") && !page.contains("<b>evil") && !page.contains("<x>"), "{page}");
        assert!(page.contains("/&lt;script&gt;alert"), "{page}");
    }

    #[test]
    fn nothing_is_fetched_and_nothing_is_a_script() {
        let page = page_of(&["192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET / HTTP/1.1\" 502 1 \"-\" \"-\""]);
        for part in ["<script", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn every_element_is_closed() {
        let access = "192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET / HTTP/1.1\" 502 1 \"-\" \"-\"";
        let error =
            "2026/11/25 16:39:28 [error] 1#1: *1 no live upstreams while connecting to upstream, client: 192.0.2.1";
        let later = access.replace("16:39:28", "18:10:00");
        for lines in [&[access][..], &[error], &[access, error, &later]] {
            let page = page_of(lines);
            for name in
                ["main", "section", "table", "svg", "g", "ol", "li", "div", "p", "td", "tr", "header", "footer", "h2"]
            {
                let opened = page.matches(&format!("<{name}>")).count() + page.matches(&format!("<{name} ")).count();
                assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name} in {page}");
            }
        }
    }
}
