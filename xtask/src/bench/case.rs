//! The cases: what is requested, how often a connection is reused, and how many there are. One row
//! a case.

use super::load::{Reuse, Script};
use super::origin::{LARGE, MEDIUM, Resource, SMALL};
use std::net::SocketAddrV4;

/// One case of the comparison.
#[derive(Clone)]
pub(crate) struct Case {
    /// What `--case` takes.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) connections: usize,
    pub(crate) reuse: Reuse,
    /// The request body's length in bytes; 0 makes the request a GET.
    body: usize,
    resource: Resource,
}

/// The case that the gate judges, and the one that counts instructions.
pub(crate) const SMALL_GET: Case = Case {
    name: "small-get",
    title: "small GET with a browser's header fields, 65-byte answer",
    connections: 64,
    reuse: Reuse::KeepAlive,
    body: 0,
    resource: SMALL,
};

pub(crate) const CASES: [Case; 6] = [
    SMALL_GET,
    Case { name: "post-16k", title: "POST with a body of 16 KiB, 65-byte answer", body: 16 * 1024, ..SMALL_GET },
    Case { name: "get-64k", title: "GET, answer of 64 KiB", resource: MEDIUM, ..SMALL_GET },
    Case { name: "get-1m", title: "GET, answer of 1 MiB", resource: LARGE, ..SMALL_GET },
    Case {
        name: "new-connection",
        title: "small GET, one connection a request",
        reuse: Reuse::OnePerRequest,
        ..SMALL_GET
    },
    Case { name: "512-connections", title: "small GET over 512 connections", connections: 512, ..SMALL_GET },
];

/// What `--case` calls the measurement of idle connections, which is no closed loop.
pub(crate) const IDLE: &str = "idle";

impl Case {
    /// What the load generator does against `target`.
    pub(crate) fn script(&self, target: SocketAddrV4) -> Script {
        Script {
            target,
            request: self.request(),
            answer: self.resource.length as u64,
            connections: self.connections,
            reuse: self.reuse,
        }
    }

    /// A request with the dozen fields that browsers send.
    fn request(&self) -> Vec<u8> {
        let method = if self.body == 0 { "GET" } else { "POST" };
        let connection = match self.reuse {
            Reuse::KeepAlive => "keep-alive",
            Reuse::OnePerRequest => "close",
        };
        let mut request = format!(
            "{method} {} HTTP/1.1\r\n\
             Host: shop.example\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
             Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
             Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
             Accept-Encoding: gzip, deflate, br, zstd\r\n\
             Referer: https://shop.example/products/chairs?page=2\r\n\
             Connection: {connection}\r\n\
             Cookie: session=5f0c1d7e9a3b4c62; theme=dark; consent=essential\r\n\
             Upgrade-Insecure-Requests: 1\r\n\
             Sec-Fetch-Dest: document\r\n\
             Sec-Fetch-Mode: navigate\r\n\
             Sec-Fetch-Site: same-origin\r\n",
            self.resource.path
        );
        if self.body > 0 {
            request += &format!("Content-Type: application/octet-stream\r\nContent-Length: {}\r\n", self.body);
        }
        request += "\r\n";
        let mut bytes = request.into_bytes();
        bytes.resize(bytes.len() + self.body, b'x');
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_get_has_a_dozen_fields_and_no_body() {
        let request = String::from_utf8(SMALL_GET.request()).unwrap();
        assert!(request.starts_with("GET /small HTTP/1.1\r\n") && request.ends_with("\r\n\r\n"));
        assert_eq!(request.lines().filter(|line| line.contains(": ")).count(), 12);
    }

    #[test]
    fn a_post_carries_the_length_it_declares() {
        let post = CASES.iter().find(|case| case.body > 0).unwrap();
        let request = String::from_utf8(post.request()).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST ") && head.ends_with(&format!("Content-Length: {}", body.len())));
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CASES.iter().map(|case| case.name).chain([IDLE]).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b));
    }
}
