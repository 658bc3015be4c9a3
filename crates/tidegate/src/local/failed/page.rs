//! The page for people: it says what happens, and goes away by itself. Not here: its style and script, which are files.
//!
//! It needs neither: without the script a browser that runs none loads it again by itself; style and script come from the
//! gateway's own paths, so that a policy of `default-src 'self'` (Content-Security-Policy) lets them work.

use super::{OWN, Told};

/// Seconds after which browsers without scripts load the page again.
const RELOAD: u32 = 15;

/// The page.
pub(super) fn page(told: &Told<'_>) -> String {
    let Told { status, code, request_id, .. } = told;
    let (user, next, ready) = (escape(told.user.as_bytes()), next(told), ready(told));
    let reload = match told.repeatable {
        true => format!("<noscript><meta http-equiv=\"refresh\" content=\"{RELOAD}\"></noscript>\n"),
        false => String::new(),
    };
    let details = told.details.as_ref().map_or_else(String::new, |(happened, advice)| {
        let (happened, advice) = (escape(happened.as_bytes()), escape(advice.as_bytes()));
        format!("<details open><summary>For operators</summary><p>{happened}</p><p>{advice}</p></details>\n")
    });
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>Not available right now</title>\n\
         <link rel=\"stylesheet\" href=\"{OWN}page.css\">\n\
         {reload}\
         <script type=\"module\" src=\"{OWN}heal.js\"></script>\n\
         </head>\n\
         <body>\n\
         <main data-ready=\"{ready}\" data-repeatable=\"{repeatable}\">\n\
         <h1>Not available right now</h1>\n\
         <p>{user}</p>\n\
         <p id=\"next\" role=\"status\" aria-live=\"polite\">{next}</p>\n\
         {details}\
         <footer>{status} · {code} · {request_id}</footer>\n\
         </main>\n\
         </body>\n\
         </html>\n",
        repeatable = told.repeatable,
    )
}

fn next(told: &Told<'_>) -> &'static str {
    if told.repeatable {
        "This page loads again by itself as soon as the site answers."
    } else {
        "What you sent was not stored, as far as we can tell. Please go back and send it again in a moment."
    }
}

/// The path that says whether the one that was asked for is back.
fn ready(told: &Told<'_>) -> String {
    let path = told.target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let mut ready = format!("{OWN}ready?path=");
    for byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => ready.push(char::from(*byte)),
            other => ready.push_str(&format!("%{other:02X}")),
        }
    }
    ready
}

/// Text for HTML, in elements and in quoted attributes.
fn escape(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::*;

    #[test]
    fn nothing_of_the_request_can_become_markup() {
        let told = Told { target: b"/\"><script>?x", user: "a<b", ..told() };
        let page = page(&told);
        assert!(page.contains("a&lt;b"));
        assert!(page.contains("data-ready=\"/.tidegate/ready?path=/%22%3E%3Cscript%3E\""));
    }

    #[test]
    fn a_form_is_never_sent_again_by_itself() {
        let page = page(&Told { repeatable: false, ..told() });
        assert!(!page.contains("http-equiv=\"refresh\""));
        assert!(page.contains("data-repeatable=\"false\""));
    }
}
