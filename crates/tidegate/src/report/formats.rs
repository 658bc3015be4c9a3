//! The forms of access lines that are known without being told, written as `log_format` strings. Not here: which of them a
//! file has (`sniff`).

use std::sync::LazyLock;

use super::layout::Layout;

/// A form and what it is called.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) layout: Layout,
}

/// The more special come first: what they have before their last value, the more general have too.
const FORMATS: [(&str, &str); 9] = [
    (
        "ingress-nginx",
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \
         $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr \
         $upstream_response_length $upstream_response_time $upstream_status $req_id",
    ),
    (
        "Traefik",
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \
         $number \"$router\" \"$upstream_addr\" ${took_ms}ms",
    ),
    (
        "Envoy",
        "[$time_iso8601] \"$request\" $status $state $bytes_received $body_bytes_sent $took_ms $service_time \"$xff\" \"$agent\" \
         \"$id\" \"$authority\" \"$upstream_addr\"",
    ),
    (
        "HAProxy",
        "$process]: $remote_addr:$port [$time_local] $frontend $upstream_addr $queue/$w/$c/$r/$took_ms $status $bytes_sent $rc $sc $state $n $q $captured\"$request\"",
    ),
    (
        "HAProxy",
        "$remote_addr:$port [$time_local] $frontend $upstream_addr $queue/$w/$c/$r/$took_ms $status $bytes_sent $rc $sc $state $n $q $captured\"$request\"",
    ),
    (
        "AWS ALB",
        "$type $time_iso8601 app/$balancer $remote_addr:$port $upstream_addr $rt $request_time $st $status $ts $received $bytes_sent \
         \"$request\"",
    ),
    ("combined", "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"),
    ("combined with a host", "$host $remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"),
    ("Apache's common", "$remote_addr $identity $remote_user [$time_local] \"$request\" $status $body_bytes_sent"),
];

/// All of them, ready to read lines.
pub(super) fn known() -> &'static [Known] {
    static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
        let ready =
            |(name, format): (&'static str, &str)| Layout::new(format).ok().map(|layout| Known { name, layout });
        FORMATS.into_iter().filter_map(ready).collect()
    });
    &KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::row::Reader;

    /// The first form that reads the line, and what it reads.
    fn read(line: &str) -> (&'static str, u16, Option<u64>, String, String) {
        let mut reader = Reader::default();
        let found =
            known().iter().find_map(|known| Some((known.name, known.layout.read(line.as_bytes(), &mut reader)?)));
        let (name, row) = found.unwrap_or_else(|| panic!("{line}"));
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (name, row.status, row.took, text(row.target), text(row.endpoints))
    }

    #[test]
    fn every_form_is_ready() {
        assert_eq!(known().len(), FORMATS.len());
    }

    #[test]
    fn lines_are_read_by_the_form_that_knows_most_of_them() {
        let head = "192.0.2.1 - - [25/Nov/2026:16:39:28 +0000] \"GET /a HTTP/1.1\" 502 150 \"-\" \"curl\"";
        let s = String::from;
        assert_eq!(read(head), ("combined", 502, None, s("/a"), s("")));
        assert_eq!(read(&format!("www.example.org:443 {head}")), ("combined with a host", 502, None, s("/a"), s("")));
        let line = format!("{head} 80 0.003 [ns-app-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 150 0.001, 0.002 502, 502 abc");
        assert_eq!(read(&line), ("ingress-nginx", 502, Some(3_000), s("/a"), s("10.0.0.1:80, 10.0.0.2:80")));
        let line = format!("{head} 7 \"app@docker\" \"http://10.0.0.1:80\" 12ms");
        assert_eq!(read(&line), ("Traefik", 502, Some(12_000), s("/a"), s("http://10.0.0.1:80")));
    }

    #[test]
    fn other_proxies_lines_are_read() {
        let s = String::from;
        let line =
            r#"[2026-11-25T16:39:28.310Z] "GET /a HTTP/1.1" 503 UC 0 95 4 - "-" "curl" "id" "host" "10.0.0.1:80""#;
        assert_eq!(read(line), ("Envoy", 503, Some(4_000), s("/a"), s("10.0.0.1:80")));
        let line = r#"192.0.2.1:33317 [25/Nov/2026:16:39:28.655] in be/s1 0/0/1/-1/3 502 209 - - SH-- 1/1/0/0/0 0/0 {a.org|} "POST /a HTTP/1.1""#;
        for line in [line, &format!("<134>Nov 25 16:39:28 lb haproxy[7]: {line}"), &line.replace("{a.org|} ", "")] {
            assert_eq!(read(line), ("HAProxy", 502, Some(3_000), s("/a"), s("be/s1")), "{line}");
        }
        let line = "h2 2026-11-25T16:39:28.186641Z app/my-lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.000 0.021 0.000 502 - 34 366 \"GET https://example.org:443/a HTTP/2.0\" \"curl\"";
        assert_eq!(read(line), ("AWS ALB", 502, Some(21_000), s("https://example.org:443/a"), s("10.0.0.1:80")));
    }
}
