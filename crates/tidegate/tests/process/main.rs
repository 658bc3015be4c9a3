//! The main process with real signals, real children and a fake gateway: background, pid file, reload, logs, upgrade.
//! Not here: what the gateway serves, and the pure order of events (`process::lifecycle` has its own tests).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod fake;
mod scene;

use std::fs;
use std::io::Read;
use std::net::TcpListener;

use rustix::process::Signal;
use scene::{Scene, eventually};

/// Not a test of its own: the process that the others start. It is this program again, so that `daemon on` and USR2,
/// which start the program once more, find the fake gateway in it too.
#[test]
fn the_gateway_process() {
    if let Some(file) = std::env::var_os(scene::CONFIGURATION) {
        std::process::exit(i32::from(fake::run(file.into())));
    }
}

#[test]
fn term_ends_it_and_removes_the_pid_file() {
    let mut scene = Scene::start("daemon off;", "first");
    assert_eq!(scene.answer().unwrap().name, "first");
    let pid = scene.pid("pid").unwrap();
    scene.signal(pid, Signal::TERM);
    assert_eq!(scene.exit_code(), 0);
    assert!(!scene.path("pid").exists());
    assert!(scene.log().contains("signal 15 (SIGTERM) received, exiting\n"));
}

#[test]
fn quit_waits_for_what_is_connected_and_accepts_nothing_more() {
    let mut scene = Scene::start("daemon off;", "first");
    let held = scene.connect().unwrap();
    scene.signal(scene.pid("pid").unwrap(), Signal::QUIT);
    eventually("new connections are refused", || scene.connect().is_err());
    assert!(scene.runs());
    drop(held);
    assert_eq!(scene.exit_code(), 0);
}

#[test]
fn quit_waits_no_longer_than_worker_shutdown_timeout() {
    let mut scene = Scene::start("daemon off; worker_shutdown_timeout 100ms;", "first");
    let _held = scene.connect().unwrap();
    scene.signal(scene.pid("pid").unwrap(), Signal::QUIT);
    assert_eq!(scene.exit_code(), 0);
}

#[test]
fn term_ends_a_drain_at_once() {
    let mut scene = Scene::start("daemon off;", "first");
    let _held = scene.connect().unwrap();
    scene.signal(scene.pid("pid").unwrap(), Signal::QUIT);
    eventually("new connections are refused", || scene.connect().is_err());
    scene.signal(scene.pid("pid").unwrap(), Signal::TERM);
    assert_eq!(scene.exit_code(), 0);
}

#[test]
fn hup_serves_by_the_new_file() {
    let scene = Scene::start("daemon off;", "first");
    scene.write("daemon off;", "second");
    scene.signal(scene.pid("pid").unwrap(), Signal::HUP);
    eventually("the second file serves", || scene.answer().is_some_and(|answer| answer.name == "second"));
}

#[test]
fn hup_with_a_bad_file_says_why_and_keeps_the_old_one() {
    let scene = Scene::start("daemon off;", "first");
    scene.write("daemon off; nonsense;", "second");
    scene.signal(scene.pid("pid").unwrap(), Signal::HUP);
    eventually("the fault is logged", || scene.log().contains("[emerg]"));
    assert!(scene.log().contains("unknown directive \"nonsense\" in "));
    assert_eq!(scene.answer().unwrap().name, "first");
}

#[test]
fn usr1_follows_a_rotated_log() {
    let scene = Scene::start("daemon off;", "first");
    fs::rename(scene.path("error.log"), scene.path("error.log.1")).unwrap();
    scene.signal(scene.pid("pid").unwrap(), Signal::USR1);
    eventually("a new log is there", || scene.path("error.log").exists());
    scene.signal(scene.pid("pid").unwrap(), Signal::HUP);
    eventually("lines go to it", || scene.log().contains("SIGHUP"));
}

#[test]
fn a_resized_terminal_changes_nothing_in_the_foreground() {
    let scene = Scene::start("daemon off;", "first");
    scene.signal(scene.pid("pid").unwrap(), Signal::WINCH);
    eventually("the signal arrived", || scene.log().contains("SIGWINCH"));
    assert!(scene.answer().is_some());
}

#[test]
fn daemon_returns_when_the_background_process_serves() {
    let mut scene = Scene::spawn("", "first");
    assert_eq!(scene.exit_code(), 0);
    // No waiting here: all of it was so before the first process ended.
    let answer = scene.answer().unwrap();
    assert_eq!(answer.process, scene.pid("pid").unwrap());
    assert_ne!(answer.process, scene.first_process());
    let session = rustix::process::Pid::from_raw(answer.process);
    assert_eq!(rustix::process::getsid(session).ok(), session);
}

#[test]
fn a_background_process_has_the_name_of_the_program() {
    let scene = Scene::start_daemon("first");
    let name = |folder: String| fs::read_to_string(folder + "/comm").unwrap();
    assert_eq!(name(format!("/proc/{}", scene.pid("pid").unwrap())), name("/proc/self".into()));
}

#[test]
fn daemon_fails_with_the_background_process_and_shows_its_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut scene = Scene::spawn_on(taken.local_addr().unwrap().port(), "", "first");
    assert_eq!(scene.exit_code(), 1);
    let said = scene.stderr();
    assert!(said.contains(": [emerg] bind() failed"), "{said}");
    assert!(!scene.path("pid").exists());
}

#[test]
fn usr2_hands_the_sockets_to_a_new_binary() {
    let scene = Scene::start_daemon("first");
    let old = scene.pid("pid").unwrap();
    scene.write("", "second");
    scene.signal(old, Signal::USR2);
    eventually("both pid files are there", || scene.pid("pid.oldbin") == Some(old) && scene.pid("pid").is_some());
    let new = scene.pid("pid").unwrap();
    assert_ne!(new, old);
    scene.signal(old, Signal::WINCH);
    eventually("the old one accepts no more", || scene.log().contains("stopped accepting"));
    assert!((0..10).all(|_| scene.answer().unwrap().process == new));
    assert_eq!(scene.answer().unwrap().name, "second");
    scene.signal(old, Signal::QUIT);
    eventually("the old one is gone", || !scene.path("pid.oldbin").exists());
    assert_eq!(scene.pid("pid"), Some(new));
}

#[test]
fn the_old_binary_serves_again_when_the_new_one_ends() {
    let scene = Scene::start_daemon("first");
    let old = scene.pid("pid").unwrap();
    scene.signal(old, Signal::USR2);
    eventually("both pid files are there", || scene.pid("pid.oldbin") == Some(old) && scene.pid("pid").is_some());
    scene.signal(old, Signal::WINCH);
    eventually("the old one accepts no more", || scene.log().contains("stopped accepting"));
    scene.signal(scene.pid("pid").unwrap(), Signal::QUIT);
    eventually("the old one has its name again", || scene.pid("pid") == Some(old));
    eventually("the old one answers", || scene.answer().is_some_and(|answer| answer.process == old));
}

#[test]
fn a_new_binary_that_cannot_serve_leaves_the_old_one_as_it_was() {
    let scene = Scene::start_daemon("first");
    let old = scene.pid("pid").unwrap();
    scene.write("nonsense;", "second");
    scene.signal(old, Signal::USR2);
    eventually("the new one came and went", || scene.log().contains("the new binary's process ended: exit status: 1"));
    eventually("the old one has its name again", || scene.pid("pid") == Some(old));
    assert_eq!(scene.answer().unwrap().process, old);
}

#[test]
fn an_answer_in_progress_survives_a_reload() {
    let scene = Scene::start("daemon off;", "first");
    let mut held = scene.connect().unwrap();
    scene.write("daemon off;", "second");
    scene.signal(scene.pid("pid").unwrap(), Signal::HUP);
    eventually("the second file serves", || scene.answer().is_some_and(|answer| answer.name == "second"));
    let mut byte = [0];
    assert_eq!(held.read(&mut byte).unwrap(), 1, "the first answer is still there to be read");
}

#[test]
fn another_user_in_a_reloaded_file_is_said_to_change_nothing() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root may change accounts.
    }
    let scene = Scene::start("daemon off; user nobody nogroup;", "first");
    scene.write("daemon off; user daemon;", "second");
    scene.signal(scene.pid("pid").unwrap(), Signal::HUP);
    eventually("the second file serves", || scene.answer().is_some_and(|answer| answer.name == "second"));
    let line = "the \"user\" directive cannot change the account of running workers: restart, or upgrade the binary";
    eventually("that is said", || {
        scene.log().lines().any(|logged| logged.contains("[warn]") && logged.ends_with(line))
    });
}
