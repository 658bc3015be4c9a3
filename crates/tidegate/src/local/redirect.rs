//! The `Location` of a redirect, made absolute as nginx does it. Not here: where it leads.

use config::model::Settings;

/// What a client's connection and request tell about the address it used.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The connection is TLS.
    pub https: bool,
    /// The request's host; empty if it had none.
    pub host: &'a [u8],
    /// `$server_name`.
    pub server_name: &'a str,
    /// The address that took the connection, without its port: for a request without a host.
    pub local_address: &'a str,
    /// The port that took the connection; 0 for a unix-domain socket.
    pub local_port: u16,
}

/// A target that starts with `/`, with a scheme, a host and a port before it; `None` where it stays as it is.
pub fn absolute(target: &[u8], origin: &Origin<'_>, settings: &Settings) -> Option<Vec<u8>> {
    if !settings.absolute_redirect || !target.starts_with(b"/") {
        return None;
    }
    let mut out = Vec::with_capacity(target.len() + 64);
    push_origin(&mut out, origin, settings);
    out.extend_from_slice(target);
    Some(out)
}

fn push_origin(out: &mut Vec<u8>, origin: &Origin<'_>, settings: &Settings) {
    out.extend_from_slice(if origin.https { b"https://" } else { b"http://" });
    let host = if settings.server_name_in_redirect {
        origin.server_name.as_bytes()
    } else if origin.host.is_empty() {
        origin.local_address.as_bytes()
    } else {
        origin.host
    };
    out.extend_from_slice(host);
    let usual = if origin.https { 443 } else { 80 };
    if settings.port_in_redirect && origin.local_port != usual && origin.local_port != 0 {
        out.extend_from_slice(format!(":{}", origin.local_port).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::settings;

    const ORIGIN: Origin<'_> = Origin {
        https: false,
        host: b"example.org",
        server_name: "canonical.example",
        local_address: "127.0.0.1",
        local_port: 8080,
    };

    fn text(target: &str, origin: &Origin<'_>, settings: &Settings) -> String {
        String::from_utf8(absolute(target.as_bytes(), origin, settings).unwrap()).unwrap()
    }

    #[test]
    fn a_path_becomes_absolute_with_the_hosts_name_and_port() {
        let settings = settings();
        assert_eq!(text("/d/?x", &ORIGIN, &settings), "http://example.org:8080/d/?x");
        let usual = Origin { local_port: 80, ..ORIGIN };
        assert_eq!(text("/d/", &usual, &settings), "http://example.org/d/");
        let https = Origin { https: true, local_port: 443, ..ORIGIN };
        assert_eq!(text("/d/", &https, &settings), "https://example.org/d/");
        let unix = Origin { local_port: 0, ..ORIGIN };
        assert_eq!(text("/d/", &unix, &settings), "http://example.org/d/");
        let no_host = Origin { host: b"", ..ORIGIN };
        assert_eq!(text("/d/", &no_host, &settings), "http://127.0.0.1:8080/d/");
    }

    #[test]
    fn settings_choose_the_name_the_port_and_the_form() {
        let mut named = settings();
        named.server_name_in_redirect = true;
        assert_eq!(text("/", &ORIGIN, &named), "http://canonical.example:8080/");
        let mut portless = settings();
        portless.port_in_redirect = false;
        assert_eq!(text("/", &ORIGIN, &portless), "http://example.org/");
        let mut relative = settings();
        relative.absolute_redirect = false;
        assert_eq!(absolute(b"/d/", &ORIGIN, &relative), None);
    }

    #[test]
    fn other_targets_stay() {
        let settings = settings();
        assert_eq!(absolute(b"https://x/y", &ORIGIN, &settings), None);
        assert_eq!(absolute(b"relative", &ORIGIN, &settings), None);
    }
}
