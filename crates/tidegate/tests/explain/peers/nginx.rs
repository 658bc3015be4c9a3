//! nginx's error log.

use std::fs;
use std::path::Path;
use std::process::Command;

use tidegate::misbehave::Server;

use super::{ask, assert_explained, endpoint, find, lines, start, written};

/// What nginx writes of each mode, and the causes that the words may have.
const MODES: [(&str, &str); 11] = [
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
    let Some(program) = find("nginx") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Server> = MODES.iter().map(|(mode, _)| endpoint(mode)).collect();
    let targets = MODES.iter().zip(&servers).map(|((mode, _), server)| (mode, format!("http://{}", server.address())));
    let mut locations: String = targets.map(|(mode, target)| location(mode, &target)).collect();
    locations += &location("missing", &format!("http://unix:{}:/", at("missing.sock").display()));
    locations += &location("plain", &format!("https://{}", servers[4].address()));
    locations += "location /variable { set $name nowhere.invalid; proxy_pass http://$name; }\n";
    fs::write(at("nginx.conf"), configuration(folder.path(), &locations)).unwrap();
    let mut command = Command::new(program);
    let _nginx = start(command.arg("-c").arg(at("nginx.conf")).arg("-e").arg(at("error.log")), folder.path());

    let more = [("missing", "unix_socket_missing"), ("plain", "tls_not_spoken"), ("variable", "no_resolver")];
    for (name, cause) in MODES.iter().chain(&more) {
        let before = lines(&at("error.log")).len();
        ask(&at("nginx.sock"), &format!("/{name}"));
        let fits = |line: &str| line.contains("[error]") || line.contains("[crit]");
        assert_explained("nginx", name, &written(&at("error.log"), before, fits), cause);
    }
}

fn location(name: &str, target: &str) -> String {
    format!("location /{name} {{ proxy_pass {target}; }}\n")
}

fn configuration(folder: &Path, locations: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log info;\nevents {{}}\n\
         http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n\
         uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; proxy_read_timeout 300ms; proxy_http_version 1.1;\n\
         proxy_next_upstream off; proxy_buffer_size 4k;\nserver {{ listen unix:{folder}/nginx.sock;\n{locations}}} }}\n"
    )
}
