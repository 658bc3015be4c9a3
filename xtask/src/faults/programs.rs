//! What each program is given, and how its log is read. All have timeouts of a second, keep connections to endpoints, and
//! retry as much as they can without repeating POSTs, as far as they have words for it.

pub(super) mod caddy;
pub(super) mod envoy;
pub(super) mod haproxy;
pub(super) mod nginx;
pub(super) mod traefik;
