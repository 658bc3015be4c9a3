//! Operation under load, with the real program: reloads, new ports, a bad file, an upgrade of the binary, while clients of
//! every kind go on asking. Not one request may fail and not one connection may be cut off.
//! Not here: the same signals one by one (`tests/process`, `tests/scenarios/operation`).

#![allow(clippy::unwrap_used, reason = "a helper that fails, fails the test")]

mod load;
mod origin;
mod place;

use load::Load;
use place::{Place, eventually};
use rustix::process::Signal;

/// The way to the origin, and an answer that names the configuration that made it.
fn server(place: &Place, port: u16, name: &str) -> String {
    let (address, origin) = (place.address(port), place.origin());
    format!(
        "server {{ listen {address}; keepalive_requests 1000000000;\n\
         location / {{ return 200 \"{name}\"; }}\n\
         location /origin {{ proxy_pass http://{origin}; }} }}\n"
    )
}

#[test]
fn twenty_reloads_fail_no_request_and_drop_no_connection() {
    for main in ["daemon off;", "daemon off; worker_processes 2;", "worker_processes 2;"] {
        let mut place = Place::new(main);
        place.write(&server(&place, 1, "generation 0"));
        place.start();
        let load = Load::start(&place, 1);
        for generation in 1..=20 {
            let name = format!("generation {generation}");
            place.write(&server(&place, 1, &name));
            place.signal("pid", Signal::HUP);
            eventually(&format!("{name} serves"), || place.name(1).as_deref() == Some(&name));
            load.every_client_asks_twice_more();
        }
        load.end_without_a_failure();
        place.quit();
    }
}

#[test]
fn reloads_change_the_number_of_workers_and_fail_no_request() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&server(&place, 1, "2 workers"));
    place.start();
    let load = Load::start(&place, 1);
    // A worker that is let go tells its clients so.
    load.let_go_when_told();
    for workers in [4, 1, 3, 2, 1, 5] {
        let name = format!("{workers} workers");
        place.main = format!("daemon off; worker_processes {workers};");
        place.write(&server(&place, 1, &name));
        place.signal("pid", Signal::HUP);
        eventually(&format!("{workers} workers are there"), || place.threads("worker ") == workers);
        load.every_client_asks_twice_more();
        eventually("every socket is served by the new file", || place.is_named(1, &name));
    }
    load.end_without_a_failure();
    place.quit();
}

#[test]
fn a_connection_asks_the_new_configuration_with_its_next_request() {
    let mut place = Place::new("daemon off;");
    place.write(&server(&place, 1, "old"));
    place.start();
    let mut client = load::Kept::connect(place.address(1)).unwrap();
    assert_eq!(client.get("/").unwrap(), "old");
    place.write(&server(&place, 1, "new"));
    place.signal("pid", Signal::HUP);
    eventually("the new one serves", || place.name(1).as_deref() == Some("new"));
    assert_eq!(client.get("/").unwrap(), "new");
}

#[test]
fn ports_come_and_go_with_reloads_and_those_that_stay_notice_nothing() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&server(&place, 1, "one"));
    place.start();
    let load = Load::start(&place, 1);
    for round in 0..5 {
        place.write(&(server(&place, 1, "one") + &server(&place, 2, "two")));
        place.signal("pid", Signal::HUP);
        eventually("the second port serves", || place.name(2).as_deref() == Some("two"));
        load.every_client_asks_twice_more();
        place.write(&server(&place, 1, &format!("one, round {round}")));
        place.signal("pid", Signal::HUP);
        eventually("the second port is closed", || std::net::TcpStream::connect(place.address(2)).is_err());
        load.every_client_asks_twice_more();
    }
    load.end_without_a_failure();
}

#[test]
fn a_connection_to_a_port_that_goes_is_answered_once_more_and_then_closed() {
    let mut place = Place::new("daemon off;");
    place.write(&(server(&place, 1, "one") + &server(&place, 2, "two")));
    place.start();
    let mut client = load::Kept::connect(place.address(2)).unwrap();
    assert_eq!(client.get("/").unwrap(), "two");
    place.write(&server(&place, 1, "new"));
    place.signal("pid", Signal::HUP);
    eventually("the new one serves", || place.name(1).as_deref() == Some("new"));
    assert_eq!(client.last("/"), Ok("two".to_owned()));
}

#[test]
fn a_bad_file_is_refused_while_the_load_goes_on() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&server(&place, 1, "good"));
    place.start();
    let load = Load::start(&place, 1);
    let faults = ["nonsense on;", "server { listen 127.0.0.1:1; location / { proxy_pass https; } }", "server {"];
    for (count, fault) in faults.into_iter().enumerate() {
        place.write(&(server(&place, 1, "bad") + fault));
        place.signal("pid", Signal::HUP);
        eventually("it is refused", || place.log().matches("[emerg]").count() > count);
        load.every_client_asks_twice_more();
    }
    assert_eq!(place.name(1).as_deref(), Some("good"));
    let taken = std::net::TcpListener::bind(place.address(3)).unwrap();
    place.write(&(server(&place, 1, "bad") + &server(&place, 3, "taken")));
    place.signal("pid", Signal::HUP);
    eventually("the port is refused", || place.log().contains("failed (98: Address already in use)"));
    load.every_client_asks_twice_more();
    assert_eq!(place.name(1).as_deref(), Some("good"));
    drop(taken);
    load.end_without_a_failure();
    place.quit();
}

#[test]
fn reopened_logs_lose_no_line_under_load() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&format!("access_log {};\n{}", place.path("access.log").display(), server(&place, 1, "x")));
    place.start();
    let load = Load::start(&place, 1);
    for round in 0..5 {
        let moved = place.path(&format!("access.log.{round}"));
        std::fs::rename(place.path("access.log"), moved).unwrap();
        place.signal("pid", Signal::USR1);
        eventually("a new log is there", || place.path("access.log").exists());
        load.every_client_asks_twice_more();
    }
    let asked = load.end_without_a_failure();
    place.quit();
    assert_eq!(place.lines_of("access.log"), asked);
}

#[test]
fn a_new_binary_takes_over_and_no_request_fails() {
    for (before, after) in [(1, 1), (2, 2), (1, 3), (3, 1)] {
        let mut place = Place::new(&format!("worker_processes {before};"));
        place.write(&server(&place, 1, "old"));
        place.start();
        let old = place.pid("pid").unwrap();
        let load = Load::start(&place, 1);
        place.main = format!("worker_processes {after};");
        place.write(&server(&place, 1, "new"));
        place.signal("pid", Signal::USR2);
        eventually("both run", || place.pid("pid.oldbin") == Some(old) && place.pid("pid").is_some());
        load.every_client_asks_twice_more();
        load.let_go_when_told();
        place.signal("pid.oldbin", Signal::WINCH);
        eventually("the new process answers everybody", || place.is_named(1, "new"));
        load.every_client_asks_twice_more();
        place.signal("pid.oldbin", Signal::QUIT);
        eventually("the old one is gone", || !place.path("pid.oldbin").exists());
        load.every_client_asks_twice_more();
        load.end_without_a_failure();
        place.quit();
    }
}

#[test]
fn nginx_hands_over_to_tidegate_and_no_request_fails() {
    const NGINX: &str = "/usr/sbin/nginx";
    if !std::path::Path::new(NGINX).exists() {
        eprintln!("not tried: there is no {NGINX} on this machine");
        return;
    }
    let mut place = Place::new("worker_processes 2;");
    place.write(&server(&place, 1, "$nginx_version"));
    std::fs::copy(NGINX, place.path("nginx")).unwrap();
    place.program = place.path("nginx");
    place.start();
    let (old, version) = (place.pid("pid").unwrap(), place.name(1).unwrap());
    let load = Load::start(&place, 1);
    std::fs::copy(env!("CARGO_BIN_EXE_tidegate"), place.path("new")).unwrap();
    std::fs::rename(place.path("new"), place.path("nginx")).unwrap();
    place.signal("pid", Signal::USR2);
    eventually("both run", || place.pid("pid.oldbin") == Some(old) && place.pid("pid").is_some());
    load.every_client_asks_twice_more();
    // nginx closes what idles at once, and may do so as a client asks.
    load.connections_may_break();
    place.signal("pid.oldbin", Signal::WINCH);
    eventually("nginx answers nobody", || (0..20).all(|_| place.name(1).is_some_and(|name| name != version)));
    place.signal("pid.oldbin", Signal::QUIT);
    eventually("nginx is gone", || !place.path("pid.oldbin").exists());
    load.every_client_asks_twice_more();
    load.end_without_a_failure();
    place.quit();
}

#[test]
fn an_upgrade_that_is_called_off_fails_no_request() {
    let mut place = Place::new("worker_processes 2;");
    place.write(&server(&place, 1, "old"));
    place.start();
    let old = place.pid("pid").unwrap();
    let load = Load::start(&place, 1);
    place.write(&server(&place, 1, "new"));
    place.signal("pid", Signal::USR2);
    eventually("both run", || place.pid("pid.oldbin") == Some(old) && place.pid("pid").is_some());
    load.let_go_when_told();
    place.signal("pid.oldbin", Signal::WINCH);
    eventually("the new process answers everybody", || place.is_named(1, "new"));
    load.every_client_asks_twice_more();
    place.signal("pid.oldbin", Signal::HUP);
    eventually("the old one answers as well", || place.name(1).as_deref() == Some("old"));
    load.every_client_asks_twice_more();
    place.signal("pid", Signal::QUIT);
    eventually("the old one has its name again", || place.pid("pid") == Some(old));
    load.every_client_asks_twice_more();
    assert_eq!(place.name(1).as_deref(), Some("old"));
    load.end_without_a_failure();
    place.quit();
}

#[test]
fn quit_answers_whoever_could_connect_before_it_ends() {
    for _ in 0..5 {
        let mut place = Place::new("daemon off; worker_processes 2;");
        place.write(&server(&place, 1, "x"));
        place.start();
        let load = Load::start(&place, 1);
        load.let_go_when_told();
        load.connections_may_be_refused();
        place.signal("pid", Signal::QUIT);
        assert_eq!(place.exit_code(), 0);
        load.end_without_a_failure();
    }
}

#[test]
fn who_idles_may_ask_once_more_when_a_drain_begins() {
    let mut place = Place::new("daemon off;");
    place.write(&server(&place, 1, "x"));
    place.start();
    let mut clients: Vec<_> = (0..2).map(|_| load::Kept::connect(place.address(1)).unwrap()).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/").unwrap(), "x"));
    place.signal("pid", Signal::QUIT);
    eventually("the drain begins", || place.log().contains("gracefully shutting down"));
    assert_eq!(clients[0].last("/"), Ok("x".to_owned()));
    assert_eq!(place.exit_code(), 0, "who stays silent does not hold up the end");
}

#[test]
fn a_port_is_closed_as_soon_as_a_drain_begins() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&server(&place, 1, "x"));
    place.start();
    let mut held = load::Kept::connect(place.address(1)).unwrap();
    assert_eq!(held.get("/").unwrap(), "x");
    held.send(b"GET / HTTP/1.1\r\n").unwrap();
    place.signal("pid", Signal::QUIT);
    eventually("connections are refused", || std::net::TcpStream::connect(place.address(1)).is_err());
    held.send(b"Host: a\r\n\r\n").unwrap();
    assert_eq!(held.last_answer(), Ok("x".to_owned()));
    assert_eq!(place.exit_code(), 0);
}

#[test]
fn what_waits_to_be_accepted_when_a_drain_begins_is_answered() {
    let mut place = Place::new("daemon off; worker_processes 2;");
    place.write(&server(&place, 1, "x"));
    place.start();
    place.signal("pid", Signal::STOP);
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let mut client = load::Kept::connect(place.address(1)).unwrap();
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            client
        })
        .collect();
    place.signal("pid", Signal::QUIT);
    place.signal("pid", Signal::CONT);
    for mut client in clients {
        assert_eq!(client.answer().unwrap(), "x");
    }
    assert_eq!(place.exit_code(), 0);
}

#[test]
fn a_start_waits_for_who_leaves_the_port() {
    let mut place = Place::new("daemon off;");
    let leaving = std::net::TcpListener::bind(place.address(1)).unwrap();
    place.write(&server(&place, 1, "x"));
    place.spawn();
    eventually("it tries again", || place.log().contains("[notice]") && place.log().contains("try again to bind()"));
    drop(leaving);
    eventually("it serves", || place.pid("pid").is_some());
    assert_eq!(place.name(1).as_deref(), Some("x"));
    place.quit();
}

#[test]
fn the_file_of_a_unix_socket_goes_with_the_last_process_that_listens_on_it() {
    let mut place = Place::new("");
    let (socket, other) = (place.path("socket"), place.path("other"));
    let listen = |path: &std::path::Path| format!("server {{ listen unix:{}; }}", path.display());
    place.write(&(listen(&socket) + &listen(&other)));
    place.start();
    place.write(&listen(&socket));
    place.signal("pid", Signal::HUP);
    eventually("the other one is gone", || !other.exists());
    let old = place.pid("pid").unwrap();
    place.signal("pid", Signal::USR2);
    eventually("both run", || place.pid("pid.oldbin") == Some(old) && place.pid("pid").is_some());
    place.signal("pid.oldbin", Signal::QUIT);
    eventually("the old one is gone", || place.parent() != Some(old));
    std::os::unix::net::UnixStream::connect(&socket).unwrap();
    place.quit();
    assert!(!socket.exists());
}
