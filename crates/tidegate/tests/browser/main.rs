//! What people see in a real browser: headless Chromium in front of the real program.
//!
//! Without chromium and chromedriver the tests are skipped, which is said; with `TIDEGATE_REQUIRE_PEERS=1` they fail.
//! Not here: the text of the answers (`tests/scenarios/local`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod driver;
mod site;

use driver::{Browser, eventually};
use site::Site;

/// A browser and a site whose application is down; nothing where there is no browser.
fn open() -> Option<(Browser, Site)> {
    match Browser::start() {
        Ok(browser) => Some((browser, Site::new())),
        Err(why) if std::env::var_os("TIDEGATE_REQUIRE_PEERS").is_some_and(|value| value == "1") => panic!("{why}"),
        Err(why) => {
            eprintln!("skipped: {why}");
            None
        }
    }
}

const AWAY: &str = "Not available right now";

#[test]
fn the_page_goes_away_by_itself_when_the_application_is_back() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url("/shop?item=1"));
    assert_eq!(browser.title(), AWAY);
    assert_eq!(browser.script("return getComputedStyle(document.querySelector('main')).maxWidth"), "512px", "styled");
    browser.keep_picture("away");
    let application = site.start_application("<title>The shop</title>");
    eventually("the page is loaded again", || browser.title() == "The shop");
    assert_eq!(browser.script("return location.pathname + location.search"), "/shop?item=1");
    assert!(application.posts() == 0);
}

#[test]
fn a_form_is_never_sent_a_second_time() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url("/"));
    browser.script(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '/order'; \
         document.body.append(form); form.submit();",
    );
    eventually("the form's answer is shown", || browser.script("return location.pathname") == "/order");
    assert_eq!(browser.title(), AWAY);
    let application = site.start_application("<title>The shop</title>");
    let says = || browser.script("return document.getElementById('next').textContent");
    eventually("the page says that the site is back", || says().contains("answers again"));
    assert_eq!((browser.title().as_str(), application.posts()), (AWAY, 0));
}

#[test]
fn a_strict_content_security_policy_stops_nothing() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url("/strict/"));
    assert_eq!(browser.title(), AWAY);
    let _application = site.start_application("<title>The shop</title>");
    eventually("the page is loaded again", || browser.title() == "The shop");
}

#[test]
fn without_scripts_the_page_asks_to_be_loaded_again() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url("/"));
    let reload = browser.script("return document.querySelector('noscript').textContent");
    assert!(reload.contains("http-equiv=\"refresh\""), "{reload}");
}

/// A page that does not load itself again while scripts run in it.
const QUIET: &str = "/.tidegate/page.css";

/// Calls the module of `clients/js` from the page; what comes of it is in `window.result` later, `window.retries` counts.
fn fetch(browser: &Browser, path: &str, options: &str) {
    browser.script(&format!(
        "window.result = ''; window.retries = 0; \
         import('/tidegate-fetch.js').then(async ({{ resilientFetch, userMessage }}) => {{ \
             const options = {{ base: 100, cap: 100, onRetry: () => window.retries++, {options} }}; \
             try {{ window.result = await (await resilientFetch('{path}', options)).text(); }} \
             catch (error) {{ window.result = [error.kind, error.status, error.code, userMessage(error)].join('|'); }} \
         }}, (error) => window.result = String(error))"
    ));
}

fn result(browser: &Browser) -> String {
    eventually("the call ends", || !browser.script("return window.result").is_empty());
    browser.script("return window.result")
}

#[test]
fn a_page_that_fetches_with_patience_waits_out_a_restart() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url(QUIET));
    fetch(&browser, "/data", "attempts: 1000, totalTimeout: 80000");
    eventually("the gateway's 502 is tried again", || browser.script("return window.retries > 1") == "true");
    let application = site.start_application("the data");
    assert_eq!(result(&browser), "the data");
    assert_eq!(application.posts(), 0);
}

#[test]
fn a_page_learns_from_the_gateway_what_failed() {
    let Some((browser, site)) = open() else { return };
    browser.open(&site.url(QUIET));
    fetch(&browser, "/order", "method: 'POST', body: 'x'");
    let result = result(&browser);
    let down = "The service behind this site is not running at the moment. Try again in a minute.";
    assert_eq!(result, format!("status|502|TG-2001|{down}"));
}

#[test]
fn a_page_without_a_network_sends_when_it_is_back() {
    let Some((browser, site)) = open() else { return };
    let _application = site.start_application("the data");
    browser.open(&site.url("/"));
    browser.script("import('/tidegate-fetch.js').then(() => window.loaded = true)");
    eventually("the module is there", || browser.script("return window.loaded === true") == "true");
    browser.set_offline(true);
    eventually("the page knows", || browser.script("return navigator.onLine") == "false");
    fetch(&browser, "/data", "attempts: 1");
    assert_eq!(browser.script("return window.result"), "");
    browser.set_offline(false);
    assert_eq!(result(&browser), "the data");
}
