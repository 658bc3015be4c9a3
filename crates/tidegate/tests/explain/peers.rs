//! Lines that the programs themselves write, each in front of endpoints that fail on purpose (`misbehave`). Without the
//! program the test says so and ends, unless `TIDEGATE_REQUIRE_PEERS=1`. Not here: what the program answers to its client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tidegate::misbehave::{Act, Listen, Server};

use super::{causes, reading};

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether there is such a program; if not, the test is skipped, or fails where peers are required.
fn is_there(program: &str) -> bool {
    if Path::new(program).exists() {
        return true;
    }
    assert!(std::env::var_os("TIDEGATE_REQUIRE_PEERS").is_none_or(|value| value != "1"), "there is no {program}");
    eprintln!("not tried: there is no {program} on this machine");
    false
}

/// An endpoint that fails in this way.
fn endpoint(mode: &str) -> Server {
    Server::start(&Listen::parse("0").unwrap(), Act::named(mode).unwrap(), "hello", None).unwrap()
}

/// Asks once over the program's socket, as soon as it listens, and waits for the end of the answer.
fn ask(socket: &Path, path: &str) {
    let mut connection = connect(socket);
    write!(connection, "GET {path} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n").unwrap();
    // A reset is an end too.
    let _ = connection.read_to_end(&mut Vec::new());
}

fn connect(socket: &Path) -> UnixStream {
    for _ in 0..2_000 {
        if let Ok(connection) = UnixStream::connect(socket) {
            return connection;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} is not served", socket.display());
}

/// What nginx writes of each mode, and the likeliest cause.
const NGINX: [(&str, &str); 11] = [
    ("refuse", "connect_refused"),
    ("close-before-reply", "closed_before_reply"),
    ("reset-before-reply", "reset_before_reply"),
    ("silent", "reply_timeout"),
    ("garbage", "not_http"),
    ("nul-in-field", "malformed_field"),
    ("big-head", "head_too_large"),
    ("truncated-length", "body_truncated"),
    ("bad-chunk-size", "bad_chunk"),
    ("reset-in-body", "body_reset"),
    ("stall-in-body", "body_timeout"),
];

#[test]
fn what_nginx_writes_is_explained() {
    const PROGRAM: &str = "/usr/sbin/nginx";
    if !is_there(PROGRAM) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Server> = NGINX.iter().map(|(mode, _)| endpoint(mode)).collect();
    let mut locations: String = NGINX
        .iter()
        .zip(&servers)
        .map(|((mode, _), server)| location(mode, &format!("http://{}", server.address())))
        .collect();
    let missing = format!("http://unix:{}:/", at("missing.sock").display());
    locations += &location("missing", &missing);
    locations += &location("plain", &format!("https://{}", servers[4].address()));
    locations += "location /variable { set $name nowhere.invalid; proxy_pass http://$name; }\n";
    fs::write(at("nginx.conf"), nginx_conf(folder.path(), &locations)).unwrap();
    let child = Command::new(PROGRAM).arg("-c").arg(at("nginx.conf")).arg("-e").arg(at("error.log")).spawn().unwrap();
    let _nginx = Running(child);

    let more = [("missing", "unix_socket_missing"), ("plain", "tls_not_spoken"), ("variable", "no_resolver")];
    for (name, cause) in NGINX.iter().chain(&more) {
        let before = lines(&at("error.log")).len();
        ask(&at("nginx.sock"), &format!("/{name}"));
        let line = lines(&at("error.log"))
            .into_iter()
            .skip(before)
            .find(|line| line.contains("[error]") || line.contains("[crit]"));
        let line = line.unwrap_or_else(|| panic!("nginx wrote nothing of {name}"));
        let reading = reading(&line);
        assert_eq!(
            (reading["vendor"].as_str(), causes(&reading).first().map(String::as_str)),
            (Some("nginx"), Some(*cause)),
            "{name}: {line}"
        );
    }
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn location(name: &str, target: &str) -> String {
    format!("location /{name} {{ proxy_pass {target}; }}\n")
}

fn nginx_conf(folder: &Path, locations: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log info;\nevents {{}}\n\
         http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n\
         uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; proxy_read_timeout 300ms; proxy_http_version 1.1;\n\
         proxy_next_upstream off; proxy_buffer_size 4k;\nserver {{ listen unix:{folder}/nginx.sock;\n{locations}}} }}\n"
    )
}

/// What HAProxy writes of each mode: the letters, and the likeliest cause.
const HAPROXY: [(&str, &str, &str); 7] = [
    ("refuse", "SC--", "connect_refused"),
    ("close-before-reply", "SH--", "stale_connection"),
    ("silent", "sH--", "reply_timeout"),
    ("garbage", "PH--", "malformed_field"),
    ("truncated-length", "SD--", "body_truncated"),
    ("stall-in-body", "sD--", "body_timeout"),
    ("down", "SC--", "no_live_endpoints"),
];

#[test]
fn what_haproxy_writes_is_explained() {
    const PROGRAM: &str = "/usr/sbin/haproxy";
    if !is_there(PROGRAM) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let servers: Vec<Option<Server>> =
        HAPROXY.iter().map(|(mode, ..)| (*mode != "down").then(|| endpoint(mode))).collect();
    let backends = HAPROXY.iter().zip(&servers).map(|((mode, ..), server)| backend(mode, server.as_ref()));
    let socket: PathBuf = folder.path().join("haproxy.sock");
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, haproxy_cfg(&socket, &backends.collect::<String>())).unwrap();
    let mut child = Command::new(PROGRAM).arg("-db").arg("-f").arg(&file).stdout(Stdio::piped()).spawn().unwrap();
    let log = child.stdout.take().unwrap();
    let _haproxy = Running(child);
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(log).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });

    for (mode, letters, cause) in HAPROXY {
        ask(&socket, &format!("/{mode}"));
        let wanted = format!("GET /{mode} ");
        let line =
            std::iter::from_fn(|| lines.recv_timeout(Duration::from_secs(60)).ok()).find(|line| line.contains(&wanted));
        let line = line.unwrap_or_else(|| panic!("HAProxy wrote nothing of {mode}"));
        let reading = reading(&line);
        assert_eq!((reading["vendor"].as_str(), reading["words"].as_str()), (Some("HAProxy"), Some(letters)), "{line}");
        // On the loopback a new connection may take 0 ms or 1 ms, which is all that tells it from a kept one.
        let either = mode == "close-before-reply" && causes(&reading)[0] == "closed_before_reply";
        assert!(either || causes(&reading)[0] == cause, "{mode}: {line}: {:?}", causes(&reading));
    }
}

fn backend(mode: &str, server: Option<&Server>) -> String {
    let server = server.map_or("127.0.0.1:1 disabled".to_owned(), |server| server.address().to_string());
    format!("backend {mode}\n  server s1 {server}\n")
}

fn haproxy_cfg(socket: &Path, backends: &str) -> String {
    let socket = socket.display();
    format!(
        "global\n  log stdout format raw local0\ndefaults\n  mode http\n  log global\n  option httplog\n  retries 0\n\
         \x20 timeout client 10s\n  timeout connect 5s\n  timeout server 300ms\nfrontend in\n  bind unix@{socket}\n\
         \x20 use_backend %[path,field(2,/)]\n{backends}"
    )
}
