//! Connecting: what the endpoint, the way to it, or this machine says to `connect()`.

use super::user;
use crate::failure::row::{Code, Row, Treatment, elsewhere};
use crate::failure::{Blame, Cause, Delivery, Level, Phase, Replay};
use crate::retry::Condition;

const CONNECT: Treatment = Treatment {
    phase: Phase::Connect,
    status: 502,
    blame: Blame::Endpoint,
    delivery: Delivery::NeverSent,
    condition: Some(Condition::Error),
    replay: Replay::Any,
    level: Level::Error,
    user: user::DOWN,
};

/// This machine says no: it is not the endpoint's fault.
const FORBIDDEN: Treatment = Treatment { blame: Blame::Gateway, level: Level::Crit, user: user::MISSET, ..CONNECT };

/// This machine has run out of something. RFC 9209 has 500; it is load, so it is 503.
const EXHAUSTED: Treatment =
    Treatment { status: 503, blame: Blame::Gateway, level: Level::Crit, user: user::BUSY, ..CONNECT };

const FAILED: &str = "connect() failed ({errno})";

pub(super) const ROWS: &[Row] = &[
    Row {
        cause: Cause::ConnectRefused,
        code: Code(2001),
        name: "connect_refused",
        error_type: "connection_refused",
        treatment: CONNECT,
        happened: "Nothing listens at the endpoint's address.",
        advice: "Start the application, or correct the port in `proxy_pass` or `server`; `ss -ltnp` on its machine shows what \
                 listens. If the address begins with [::1], the application listens on IPv4 only: write 127.0.0.1 in place of \
                 localhost. In a container the application has to listen on 0.0.0.0.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::UnixSocketRefused,
        code: Code(2002),
        name: "unix_socket_refused",
        error_type: "connection_refused",
        treatment: CONNECT,
        happened: "The socket file is there, but nothing listens on it.",
        advice: "Start the application: it has ended and left its socket file behind. `ss -lxp` shows who listens on which path.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::UnixSocketMissing,
        code: Code(2003),
        name: "unix_socket_missing",
        error_type: "connection_refused",
        treatment: Treatment { level: Level::Crit, ..CONNECT },
        happened: "There is no socket file at the endpoint's path.",
        advice: "Start the application, or correct the path behind `unix:`; `ss -lxp` shows who listens where. With PrivateTmp in \
                 the application's unit, a socket below /tmp is not seen from here: put it below /run.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::BacklogFull,
        code: Code(2004),
        name: "backlog_full",
        error_type: "connection_refused",
        treatment: Treatment { user: user::BUSY, ..CONNECT },
        happened: "The application does not accept connections as fast as they come: its queue is full.",
        advice: "Give it more workers (`pm.max_children`, `workers`, `threads`), or a longer queue (`backlog`, `listen.backlog`, \
                 and `net.core.somaxconn` of the system).",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::ConnectReset,
        code: Code(2005),
        name: "connect_reset",
        error_type: "connection_terminated",
        treatment: CONNECT,
        happened: "The connection was reset while it was being made.",
        advice: "Look for a firewall or a port forwarder between here and the endpoint that answers for it; and whether the \
                 application restarts.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::HostUnreachable,
        code: Code(2006),
        name: "host_unreachable",
        error_type: "destination_ip_unroutable",
        treatment: CONNECT,
        happened: "The endpoint's machine cannot be reached: it is off, its address is wrong, or a firewall refuses.",
        advice: "Look whether the machine is up and has this address (`ping`, `ip neigh`); and whether its firewall rejects the \
                 port, which says the same (`firewall-cmd --list-all`, `iptables -L`).",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::NetworkUnreachable,
        code: Code(2007),
        name: "network_unreachable",
        error_type: "destination_ip_unroutable",
        treatment: CONNECT,
        happened: "This machine has no route to the endpoint's network.",
        advice: "`ip route get ADDRESS` shows the route that is missing. For an IPv6 address, this machine often has no IPv6: use \
                 the IPv4 address, or `ipv6=off` in `resolver`. Containers have to share a network with the endpoint.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::ConnectForbidden,
        code: Code(2008),
        name: "connect_forbidden",
        error_type: "destination_ip_prohibited",
        treatment: FORBIDDEN,
        happened: "This machine forbids the connection.",
        advice: "With SELinux: `setsebool -P httpd_can_network_connect on` (`ausearch -m avc -ts recent` shows the refusal). \
                 Otherwise look for a firewall rule for outgoing connections (`iptables -L OUTPUT`, `nft list ruleset`).",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::UnixSocketForbidden,
        code: Code(2009),
        name: "unix_socket_forbidden",
        error_type: "proxy_configuration_error",
        treatment: FORBIDDEN,
        happened: "The gateway may not use the endpoint's socket file.",
        advice: "`namei -l PATH` shows the rights on the way to it. Give the gateway's user a group that may write to the socket \
                 (`listen.mode`, `umask`, `SocketMode`), and that may enter every folder above it.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
    Row {
        cause: Cause::ConnectTimeout,
        code: Code(2010),
        name: "connect_timeout",
        error_type: "connection_timeout",
        treatment: Treatment { status: 504, condition: Some(Condition::Timeout), user: user::SLOW, ..CONNECT },
        happened: "The endpoint did not answer while connecting to it.",
        advice: "Mostly a firewall drops the packets, or the address is of a network that cannot be reached from here: containers \
                 have to share one. If it happens under load only, the application's accept queue is full: give it more workers or \
                 a longer `backlog`. `proxy_connect_timeout` says how long is waited.",
        elsewhere: elsewhere("upstream timed out (110: Connection timed out)", "sC", "UF"),
    },
    Row {
        cause: Cause::LocalAddressMissing,
        code: Code(2011),
        name: "local_address_missing",
        error_type: "proxy_configuration_error",
        treatment: Treatment { status: 500, condition: None, replay: Replay::Never, ..FORBIDDEN },
        happened: "The address of `proxy_bind` cannot be used on this machine.",
        advice: "Correct `proxy_bind`: `ip addr` shows the addresses that this machine has.",
        elsewhere: elsewhere("bind({detail}) failed ({errno})", "RC", "UF"),
    },
    Row {
        cause: Cause::LocalPortsExhausted,
        code: Code(2012),
        name: "local_ports_exhausted",
        error_type: "proxy_internal_error",
        treatment: EXHAUSTED,
        happened: "This machine has no local port left for another connection to the endpoint.",
        advice: "Keep connections open (`keepalive` in the upstream; the endpoint must not answer `Connection: close`); widen \
                 `sysctl net.ipv4.ip_local_port_range`; spread over more addresses of the endpoint or of `proxy_bind`. `ss -s` shows \
                 how many wait in TIME-WAIT.",
        elsewhere: elsewhere(FAILED, "RC", "UF"),
    },
    Row {
        cause: Cause::DescriptorsExhausted,
        code: Code(2013),
        name: "descriptors_exhausted",
        error_type: "proxy_internal_error",
        treatment: EXHAUSTED,
        happened: "The gateway may not open another file or connection.",
        advice: "Raise `worker_rlimit_nofile`, and `LimitNOFILE=` of the unit or `ulimit -n`; each proxied request takes two. If \
                 the whole system has run out: `sysctl fs.file-max`.",
        elsewhere: elsewhere("socket() failed ({errno})", "RC", "OM"),
    },
    Row {
        cause: Cause::MemoryExhausted,
        code: Code(2014),
        name: "memory_exhausted",
        error_type: "proxy_internal_error",
        treatment: EXHAUSTED,
        happened: "The kernel has no memory left for another connection.",
        advice: "Look at `free -m`, `sysctl net.ipv4.tcp_mem` and the container's memory limit; `dmesg` says if processes were killed.",
        elsewhere: elsewhere(FAILED, "RC", "OM"),
    },
    Row {
        cause: Cause::ConnectFailed,
        code: Code(2015),
        name: "connect_failed",
        error_type: "connection_refused",
        treatment: Treatment { level: Level::Crit, ..CONNECT },
        happened: "The connection to the endpoint could not be made.",
        advice: "The error number says why: `errno NUMBER` explains it. Try the same by hand: `curl -v ADDRESS` on this machine, as \
                 the gateway's user.",
        elsewhere: elsewhere(FAILED, "SC", "UF"),
    },
];
