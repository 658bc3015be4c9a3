//! The command line from outside: what is said, where, and with which exit code; beside nginx's own, where it is there.
//! Not here: what a running gateway does (`tests/process`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");
const NGINX: &str = "/usr/sbin/nginx";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(program: &str, words: &[&str]) -> Said {
    let Output { status, stdout, stderr } = Command::new(program).args(words).output().unwrap();
    Said { code: status.code(), out: String::from_utf8(stdout).unwrap(), err: String::from_utf8(stderr).unwrap() }
}

/// A folder with a file that is right and one that is not.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let good = format!(
        "pid {path}/pid;\nerror_log {path}/error.log;\nevents {{}}\n\
         http {{ access_log off; server {{ listen {address}; }} }}\n"
    );
    fs::write(folder.path().join("good.conf"), &good).unwrap();
    fs::write(folder.path().join("bad.conf"), format!("{good}nonsense on;\n")).unwrap();
    folder
}

fn at(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// What both programs say, our name and nginx's log stamps made alike.
fn alike(said: &str) -> Vec<String> {
    let ours = said.replace("tidegate: ", "nginx: ");
    // Before nginx has read where to log, Debian's goes to standard error in the log's form.
    let plain = ours.lines().map(|line| match line.split_once("] ") {
        Some((stamp, rest)) if stamp.starts_with(|c: char| c.is_ascii_digit()) => {
            let level = stamp.rsplit('[').next().unwrap_or_default();
            let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
            format!("nginx: [{level}] {message}")
        }
        _ => line.to_owned(),
    });
    // Notices are there because that build's early log is standard error, whatever the level.
    plain.filter(|line| !line.contains("[notice]")).collect()
}

#[test]
fn says_what_nginx_says_with_the_same_exit_code() {
    if !Path::new(NGINX).exists() {
        eprintln!("not compared: there is no {NGINX} on this machine");
        return;
    }
    let folder = folder();
    let (good, bad, none) = (at(&folder, "good.conf"), at(&folder, "bad.conf"), at(&folder, "none.conf"));
    let prefix = folder.path().display().to_string();
    let cases: [&[&str]; 20] = [
        &["-t", "-c", &good],
        &["-tc", &good],
        &[&format!("-tc{good}")],
        &["-t", "-q", "-c", &good],
        &["-tq", "-c", &good],
        &["-T", "-c", &good],
        &["-qT", "-c", &good],
        &["-t", "-c", &bad],
        &["-tq", "-c", &bad],
        &["-t", "-c", &none],
        &["-t", "-p", &prefix, "-c", "good.conf"],
        &["-c", &good, "-s", "reload"],
        &["-c", &none, "-s", "stop"],
        &["-c", &good, "-s", "kill"],
        &["-x"],
        &["-tx"],
        &["word"],
        &["-c"],
        &["-p"],
        &["-s"],
    ];
    for words in cases {
        let (ours, nginxs) = (run(TIDEGATE, words), run(NGINX, words));
        assert_eq!(ours.code, nginxs.code, "{words:?}: {}", ours.err);
        assert_eq!(alike(&ours.err), alike(&nginxs.err), "{words:?}");
        assert_eq!(ours.out, nginxs.out, "{words:?}");
        // nginx's -t leaves an empty pid file behind, which would change what the next case says.
        let _ = fs::remove_file(folder.path().join("pid"));
    }
}

#[test]
fn dumps_every_file_as_it_is_in_the_order_of_reading_and_once() {
    if !Path::new(NGINX).exists() {
        eprintln!("not compared: there is no {NGINX} on this machine");
        return;
    }
    let folder = folder();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    let path = folder.path().display();
    let head = format!("pid {path}/pid;\nerror_log {path}/error.log;\nevents {{}}\n");
    write(
        "dump.conf",
        format!("{head}http {{ include dump-*.part; include types.part; }} # end, without a line end").as_bytes(),
    );
    write("dump-2.part", b"server { listen 127.0.0.1:1999; access_log off; include shared.part; }\n");
    write("dump-1.part", b"# latin-1: caf\xe9\r\n\n");
    write("types.part", b"types { include shared2.part; text/x x; }");
    write("shared.part", b"location /a { include shared3.part; }\nlocation /b { include shared3.part; }\n");
    write("shared2.part", b"text/y y;\n");
    write("shared3.part", b"");
    let file = at(&folder, "dump.conf");
    let dump = |program| Command::new(program).args(["-Tq", "-c", &file, "-g", "daemon off;"]).output().unwrap().stdout;
    let (ours, nginxs) = (dump(TIDEGATE), dump(NGINX));
    assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&nginxs));
    assert_eq!(ours, nginxs);
    assert!(ours.windows(6).any(|bytes| bytes == b"caf\xe9\r\n"));
}

#[test]
fn a_broken_pid_file_is_named() {
    let folder = folder();
    fs::write(folder.path().join("pid"), "\n").unwrap();
    let said = run(TIDEGATE, &["-c", &at(&folder, "good.conf"), "-s", "quit"]);
    let expected = format!("tidegate: [error] invalid PID number \"\" in \"{}\"\n", at(&folder, "pid"));
    assert_eq!((said.code, said.err), (Some(1), expected));
}

#[test]
fn a_process_that_is_gone_is_said() {
    let folder = folder();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    fs::write(folder.path().join("pid"), gone.id().to_string()).unwrap();
    let said = run(TIDEGATE, &["-c", &at(&folder, "good.conf"), "-s", "stop"]);
    let expected = format!("tidegate: [alert] kill({}, 15) failed (3: No such process)\n", gone.id());
    assert_eq!((said.code, said.err), (Some(1), expected));
}

#[test]
fn says_its_version_and_what_it_leaves_out() {
    let said = run(TIDEGATE, &["-V"]);
    let lines: Vec<_> = said.err.lines().collect();
    assert_eq!(lines[0], concat!("tidegate version: tidegate/", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("built by rustc 1."), "{}", lines[1]);
    assert!(lines[2].starts_with("configure arguments: "), "{}", lines[2]);
    assert!(!lines[2].contains("--with-http_ssl_module"), "TLS is not there yet");
    assert_eq!((lines.len(), said.code), (3, Some(0)));
}

#[test]
fn speaks_under_the_name_it_is_called_by() {
    let folder = tempfile::tempdir().unwrap();
    let nginx = folder.path().join("nginx");
    std::os::unix::fs::symlink(TIDEGATE, &nginx).unwrap();
    let said = run(&nginx.display().to_string(), &["-z"]);
    assert_eq!(said.err, "nginx: invalid option: \"z\"\n");
}

#[test]
fn check_says_every_fault_at_once() {
    let folder = folder();
    let file = at(&folder, "faults.conf");
    fs::write(&file, "events {}\nhttp {\n  sendfile on;\n  nonsense;\n  proxy_bufering on;\n}\n").unwrap();
    let said = run(TIDEGATE, &["check", &file]);
    assert_eq!(said.code, Some(1));
    for part in ["unknown directive \"nonsense\"", "unknown directive \"proxy_bufering\"", "sendfile"] {
        assert!(said.out.contains(part), "{part} is missing in:\n{}", said.out);
    }
    assert!(said.out.ends_with(&format!("{file}: 2 errors, 1 note\n")), "{}", said.out);
}

#[test]
fn check_of_a_good_file_ends_well() {
    let folder = folder();
    let said = run(TIDEGATE, &["check", &at(&folder, "good.conf")]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
}

#[test]
fn mistyped_commands_and_files_get_a_hint() {
    let said = run(TIDEGATE, &["chek", "x"]);
    assert_eq!(said.err, "tidegate: invalid option: \"chek\"\ntidegate: did you mean \"check\"?\n");
    assert_eq!(said.code, Some(1));
    let folder = folder();
    let file = at(&folder, "good.conf");
    let said = run(TIDEGATE, &[&file]);
    assert!(said.err.contains(&format!("to run that file, write \"-c {file}\"")), "{}", said.err);
}

#[test]
fn a_command_that_is_not_understood_exits_with_two() {
    for words in [&["check"][..], &["proxy"], &["proxy", "--lisen", "1", "a:1"], &["check", "-x", "a"]] {
        let said = run(TIDEGATE, words);
        assert_eq!(said.code, Some(2), "{words:?}");
        assert!(said.err.contains("Usage: tidegate"), "{words:?}");
    }
}

#[test]
fn proxy_says_where_it_listens_and_to_whom_it_forwards() {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("unix:{}/socket", folder.path().display());
    let words = ["proxy", "--listen", &listen, "http://127.0.0.1:3000"];
    let mut child = Command::new(TIDEGATE).args(words).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, format!("tidegate: listening on {listen}, forwarding to 127.0.0.1:3000\n"));
}

#[test]
fn proxy_prints_a_configuration_that_is_right() {
    let words = ["proxy", "--print-config", "--listen", "127.0.0.1:8080", "127.0.0.1:3000", "127.0.0.1:3001,backup"];
    let said = run(TIDEGATE, &words);
    assert_eq!(said.code, Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = at(&folder, "proxy.conf");
    fs::write(&file, &said.out).unwrap();
    let checked = run(TIDEGATE, &["check", &file]);
    assert_eq!(checked.code, Some(0), "{}", checked.out);
    if Path::new(NGINX).exists() {
        let tested = run(NGINX, &["-t", "-c", &file]);
        assert_eq!(tested.code, Some(0), "{}", tested.err);
    }
}
