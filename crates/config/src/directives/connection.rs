//! The http core module: how long client connections live and how they end. Not here: their requests.

use super::shorthand::{LEVELS, Row, between, choice, custom, flag, long_count, time};
use crate::build::{Build, Level, Line};
use crate::model::LingeringClose;

pub(super) fn rows() -> Vec<Row> {
    vec![
        custom("keepalive_timeout", LEVELS, between(1, 2), keepalive_timeout)
            .syntax("timeout [header_timeout]")
            .default("75s")
            .help("Bounds how long an idle client connection is kept.")
            .manual(
                "0 closes after each answer. The second time goes to the client as \
             `Keep-Alive: timeout=`.",
            ),
        long_count("keepalive_requests", LEVELS, |l: &mut Level| &mut l.settings.keepalive_requests)
            .default("1000")
            .help("Bounds the requests of one client connection.")
            .manual("After that many the connection is closed, so that what it holds is freed."),
        time("keepalive_time", LEVELS, |l: &mut Level| &mut l.settings.keepalive_time)
            .default("1h")
            .help("Bounds the age of a client connection.")
            .manual("Once it is older, it is closed after the next answer."),
        time("keepalive_min_timeout", LEVELS, |l: &mut Level| &mut l.settings.keepalive_min_timeout)
            .default("0")
            .help("Keeps idle client connections at least this long during a drain.")
            .manual(
                "A client that sends again at once is then not cut off in the middle of its request: the answer tells it \
                 to close. It holds when connections are closed to make room for others, too. Without it an idle connection \
                 stays for a second after a drain begins.",
            ),
        choice(
            "lingering_close",
            LEVELS,
            &[
                ("off", |l: &mut Level| l.settings.lingering_close = LingeringClose::Off),
                ("on", |l| l.settings.lingering_close = LingeringClose::On),
                ("always", |l| l.settings.lingering_close = LingeringClose::Always),
            ],
        )
        .syntax("on | off | always")
        .default("on")
        .help("Says whether to read on after the last answer before closing.")
        .manual(
            "Closing while a client still sends makes its system throw away the answer. \
             `on` reads on where that is likely.",
        ),
        time("lingering_time", LEVELS, |l: &mut Level| &mut l.settings.lingering_time)
            .default("30s")
            .help("Bounds a lingering close as a whole.")
            .manual(
                "The connection is closed after this time, whether or not the client has \
             stopped sending.",
            ),
        time("lingering_timeout", LEVELS, |l: &mut Level| &mut l.settings.lingering_timeout)
            .default("5s")
            .help("Bounds the wait for more bytes during a lingering close.")
            .manual("If nothing arrives for this long, the connection is closed."),
        time("send_timeout", LEVELS, |l: &mut Level| &mut l.settings.send_timeout)
            .default("60s")
            .help("Bounds the wait between two writes to the client.")
            .manual(
                "A client that takes nothing for this long is disconnected. It is not a bound \
             on the whole answer.",
            ),
        flag("reset_timedout_connection", LEVELS, |l: &mut Level| &mut l.settings.reset_timedout_connection)
            .default("off")
            .help("Resets connections that time out instead of closing them.")
            .manual("A reset frees the socket's buffers at once."),
        flag("tcp_nodelay", LEVELS, |l: &mut Level| &mut l.settings.tcp_nodelay)
            .default("on")
            .help("Sends small packets without waiting for more.")
            .manual("Sets TCP_NODELAY on client connections.")
            .no_effect_yet("TCP_NODELAY is always set"),
    ]
}

fn keepalive_timeout(build: &mut Build<'_>, level: &mut Level, line: &Line<'_>) {
    if let Some(timeout) = build.time(line, line.word(0)) {
        level.settings.keepalive_timeout = timeout;
        level.settings.keepalive_header = None;
    }
    if let Some(header) = line.words().get(1) {
        level.settings.keepalive_header = build.seconds(line, header);
    }
}

#[cfg(test)]
mod tests {
    use crate::build::testing::server_settings;

    #[test]
    fn a_second_keepalive_time_is_the_field_for_clients() {
        let settings = server_settings("keepalive_timeout 30s 20s;");
        assert_eq!(settings.keepalive_timeout.as_secs(), 30);
        assert_eq!(settings.keepalive_header.unwrap().as_secs(), 20);
    }
}
