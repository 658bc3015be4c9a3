//! What an access line of an AWS Application Load Balancer says. Not here: Classic and Network Load Balancers.
//!
//! `http 2026-11-25T16:39:28.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 502 - 34 366
//! "GET http://example.org:80/ HTTP/1.1" …`. See AWS's documentation, "Access logs for your Application Load Balancer" and
//! "Troubleshoot your Application Load Balancers".

use policy::Cause;

use super::reading::{Candidate, Reading, Vendor, likely, possible, said};

struct Line<'a> {
    at: &'a str,
    client: &'a str,
    target: &'a str,
    /// Seconds; none where the balancer writes -1.
    request: Option<f64>,
    reply: Option<f64>,
    status: u16,
    target_status: &'a str,
    asked: &'a str,
}

/// Whether the balancer wrote the line.
pub(super) fn wrote(line: &str) -> bool {
    Line::read(line).is_some()
}

/// What a line says.
pub(super) fn read(line: &str) -> Option<Reading> {
    let line = Line::read(line)?;
    let meaning = match (line.status, line.target_status) {
        (500..=599, "-") => "The balancer itself answered: its target gave no status.",
        (500..=599, _) => "The target itself answered so: look in its log.",
        (460, _) => "The client closed its connection before the balancer's idle timeout.",
        (463, _) => "The client's X-Forwarded-For field has more than 30 addresses.",
        _ => "",
    };
    let candidates = line.candidates();
    let meaning = if meaning.is_empty() && candidates.is_empty() { "No failure of the balancer." } else { meaning };
    let reading =
        Reading::new(Vendor::Alb, format!("{} {}", line.status, line.target_status), candidates).meaning(meaning);
    let reading = reading.fact("at", line.at).fact("client", line.client).fact("upstream", line.target);
    Some(reading.fact("request", line.asked))
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.splitn(13, ' ').collect();
        let [kind, at, balancer, client, target, request, reply, _, status, target_status, _, _, rest] = words[..]
        else {
            return None;
        };
        if !matches!(kind, "http" | "https" | "h2" | "grpcs" | "ws" | "wss") || !balancer.starts_with("app/") {
            return None;
        }
        let seconds = |text: &str| text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
        let asked = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map_or("", |(asked, _)| asked);
        let (request, reply, status) = (seconds(request), seconds(reply), status.parse().ok()?);
        Some(Self { at, client, target, request, reply, status, target_status, asked })
    }

    /// The times are -1 where the balancer did not come that far.
    fn candidates(&self) -> &'static [Candidate] {
        if self.target_status != "-" {
            return &[];
        }
        match self.status {
            502 if self.request.is_none() => NOT_CONNECTED,
            502 if self.reply.is_some_and(|seconds| seconds > 0.05) => CLOSED_AT_WORK,
            502 => CLOSED_AT_ONCE,
            503 => {
                const {
                    &[
                        likely(Cause::NoLiveEndpoints, "the target group has no registered target, or none in service"),
                        possible(Cause::EndpointsFull, "if the target optimizer refuses more"),
                    ]
                }
            }
            504 if self.request.is_none() => {
                const {
                    &[likely(
                        Cause::ConnectTimeout,
                        "no connection stood within 10 s: a security group, or the target is gone",
                    )]
                }
            }
            504 => {
                const {
                    &[
                        likely(
                            Cause::ReplyTimeout,
                            "the target did not answer within the idle timeout (60 s unless it is set)",
                        ),
                        possible(Cause::ConnectTimeout, "if it took about 10 s"),
                    ]
                }
            }
            460 => const { &[said(Cause::ClientGone)] },
            408 => const { &[said(Cause::ClientTimeout)] },
            413 => const { &[said(Cause::ClientBodyTooLarge)] },
            400 => const { &[said(Cause::ClientMalformed)] },
            _ => &[],
        }
    }
}

const NOT_CONNECTED: &[Candidate] = &[
    likely(Cause::ConnectRefused, "all three times are -1 where the target resets the connection while it is made"),
    possible(
        Cause::StaleConnection,
        "if the target was in service: it closed a kept connection before the balancer's idle timeout",
    ),
    possible(Cause::TlsProtocolError, "if the target group speaks HTTPS: the handshake failed"),
];

const CLOSED_AT_ONCE: &[Candidate] = &[
    likely(
        Cause::StaleConnection,
        "it ended at once: mostly the target's keep-alive time is shorter than the balancer's idle timeout (60 s)",
    ),
    possible(Cause::ConnectRefused, "if the target was being restarted or taken out of service"),
    possible(Cause::MalformedField, "if it comes to one page: the answer's head is malformed, or larger than 32k"),
];

const CLOSED_AT_WORK: &[Candidate] = &[
    likely(Cause::ClosedBeforeReply, "the target was at work on the request before it closed"),
    possible(
        Cause::ResetBeforeReply,
        "if the target was killed, or taken out of service while requests were on their way",
    ),
    possible(Cause::MalformedField, "if it comes to one page: the answer's head is malformed"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(target: &str, times: &str, status: &str) -> String {
        format!(
            "h2 2026-11-25T16:39:28.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 {target} {times} {status} 34 366 \
             \"GET https://example.org:443/a HTTP/2.0\" \"curl\" ECDHE TLSv1.3 arn:aws:x \"Root=1\" \"-\" \"-\" 0 \
             2026-11-25T16:39:28.186641Z \"forward\" \"-\" \"-\" \"{target}\" \"-\" \"-\" \"-\""
        )
    }

    fn first(target: &str, times: &str, status: &str) -> Option<Cause> {
        let line = line(target, times, status);
        assert!(wrote(&line), "{line}");
        read(&line).unwrap().candidates.first().map(|candidate| candidate.cause)
    }

    #[test]
    fn the_times_tell_how_far_it_came() {
        assert_eq!(first("10.0.0.1:80", "-1 -1 -1", "502 -"), Some(Cause::ConnectRefused));
        assert_eq!(first("10.0.0.1:80", "0.000 0.001 -1", "502 -"), Some(Cause::StaleConnection));
        assert_eq!(first("10.0.0.1:80", "0.001 4.205 -1", "502 -"), Some(Cause::ClosedBeforeReply));
        assert_eq!(first("-", "-1 -1 -1", "503 -"), Some(Cause::NoLiveEndpoints));
        assert_eq!(first("10.0.0.1:80", "0.001 -1 -1", "504 -"), Some(Cause::ReplyTimeout));
        assert_eq!(first("10.0.0.1:80", "-1 -1 -1", "504 -"), Some(Cause::ConnectTimeout));
        assert_eq!(first("10.0.0.1:80", "0.001 -1 -1", "460 -"), Some(Cause::ClientGone));
    }

    #[test]
    fn the_targets_own_answer_is_no_failure_of_the_balancer() {
        assert_eq!(first("10.0.0.1:80", "0.000 0.010 0.000", "502 502"), None);
        assert_eq!(first("10.0.0.1:80", "0.000 0.010 0.000", "200 200"), None);
        assert!(read(&line("10.0.0.1:80", "0.000 0.010 0.000", "502 502")).unwrap().meaning.contains("target itself"));
    }
}
