//! Apache httpd's error log, written by its mod_proxy.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tidegate::misbehave::Server;

use super::{ask_tcp, assert_explained, assert_reported, endpoint, find, free_address, lines, start, written};

/// What it writes of each mode: a code, and the causes that the words may have. It takes `garbage` for an answer of HTTP/0.9,
/// a head of many fields for a good one, and says nothing of either.
const MODES: [(&str, &str, &str); 9] = [
    ("refuse", "AH00957", "connect_refused"),
    ("close-before-reply", "AH01102", "stale_connection closed_before_reply not_http"),
    ("reset-before-reply", "AH01102", "stale_connection reset_before_reply"),
    ("silent", "AH01102", "reply_timeout"),
    ("big-field", "AH10124", "field_too_large"),
    ("no-colon", "AH01106", "malformed_field field_too_large"),
    ("truncated-length", "AH01110", "body_truncated body_reset chunks_truncated"),
    ("bad-chunk-size", "AH01110", "bad_chunk chunks_truncated"),
    ("stall-in-body", "AH01110", "body_timeout"),
];

#[test]
fn what_apache_writes_is_explained() {
    let Some(program) = find("apache2") else { return };
    let (folder, listen) = (tempfile::tempdir().unwrap(), free_address());
    let at = |name: &str| folder.path().join(name);
    let servers: Vec<Server> = MODES.iter().map(|(mode, ..)| endpoint(mode)).collect();
    let passes = MODES.iter().zip(&servers).map(|((mode, ..), server)| pass(mode, server));
    fs::write(at("httpd.conf"), configuration(folder.path(), listen, &passes.collect::<String>())).unwrap();
    // One process, so that none is left when it is ended.
    let mut command = Command::new(program);
    let _apache = start(command.arg("-X").arg("-f").arg(at("httpd.conf")), folder.path());

    for (mode, code, causes) in MODES {
        let before = lines(&at("error.log")).len();
        ask_tcp(listen, &format!("/{mode}"));
        let line = written(&at("error.log"), before, |line| line.contains(code));
        assert_explained("Apache httpd", mode, &line, causes);
    }
    for log in ["common.log", "combined.log"] {
        written(&at(log), MODES.len() - 1, |_| true);
        assert_reported(&at(log), MODES.len(), MODES.len() - 3);
    }
}

fn pass(mode: &str, server: &Server) -> String {
    format!("ProxyPass /{mode} http://{}/ timeout=1\n", server.address())
}

fn configuration(folder: &Path, listen: SocketAddr, passes: &str) -> String {
    let folder = folder.display();
    let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    format!(
        "{modules}Listen {listen}\nServerName example.org\nServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\n\
         User www-data\nGroup www-data\nErrorLog {folder}/error.log\n\
         CustomLog {folder}/common.log \"%h %l %u %t \\\"%r\\\" %>s %b\"\n\
         CustomLog {folder}/combined.log \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\"\"\n{passes}"
    )
}
