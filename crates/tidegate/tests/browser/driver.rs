//! Headless Chromium, driven through chromedriver: as much of WebDriver as the tests use (W3C WebDriver §5.3).
//! Not here: what is looked at.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Only a broken program takes longer.
const LONG: Duration = Duration::from_secs(90);

/// Waits until something holds.
pub(super) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A browser with one window.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; the error says what is missing.
    pub(super) fn start() -> Result<Self, String> {
        let missing = |error| format!("chromedriver, from Debian's chromium-driver, does not start: {error}");
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().map_err(missing)?;
        let port = port(&mut driver).ok_or("chromedriver does not say where it listens")?;
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let directory = browser._profile.path().display().to_string();
        let answer = browser.call("POST", "/session", &capabilities(&directory));
        let session = answer["sessionId"].as_str().ok_or_else(|| format!("chromium does not start: {answer}"))?;
        browser.session = format!("/session/{session}");
        Ok(browser)
    }

    pub(super) fn open(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    pub(super) fn title(&self) -> String {
        text(&self.ask("GET", "/title", &Value::Null))
    }

    /// Runs a script in the page; what it returns, as text. Nothing while a page is being replaced by the next.
    pub(super) fn script(&self, script: &str) -> String {
        text(&self.ask("POST", "/execute/sync", &json!({ "script": script, "args": [] })))
    }

    /// Takes the network away from the page, or gives it back (chromedriver's own command).
    pub(super) fn set_offline(&self, offline: bool) {
        let conditions =
            json!({ "offline": offline, "latency": 0, "download_throughput": -1, "upload_throughput": -1 });
        self.ask("POST", "/chromium/network_conditions", &json!({ "network_conditions": conditions }));
    }

    /// Keeps a picture of the page in the folder that `TIDEGATE_PICTURES` names.
    pub(super) fn keep_picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("TIDEGATE_PICTURES") else { return };
        let picture = text(&self.ask("GET", "/screenshot", &Value::Null));
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png.base64")), picture).unwrap();
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.call(method, &format!("{}{path}", self.session), body)
    }

    /// One request to chromedriver; the `value` of its answer.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer: Value = serde_json::from_slice(&read_body(stream)).unwrap();
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ask("DELETE", "", &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(profile: &str) -> Value {
    let arguments = [
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        format!("--user-data-dir={profile}"),
    ];
    json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } })
}

/// The port in `ChromeDriver was started successfully on port 12345.`; what it prints later is read and dropped.
fn port(driver: &mut Child) -> Option<u16> {
    let mut lines = BufReader::new(driver.stdout.take()?).lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("successfully on port "))?;
    std::thread::spawn(move || lines.for_each(drop));
    said.split("on port ").nth(1)?.trim_end_matches('.').parse().ok()
}

/// The body of an answer with a Content-Length, which all of chromedriver's are.
fn read_body(stream: TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
