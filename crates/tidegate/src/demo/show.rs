//! What the demonstration prints: a line for each failed attempt, a count at the end. Not here: where it comes from.

use crate::record::Summary;

/// What the columns hold, above the first line.
pub(super) const HEADING: &str = "time      origin  what failed                                 the client got";

/// The widest phrase that fits beside the other columns in 80.
const PHRASE_WIDTH: usize = 42;

/// Names for addresses, and whether the terminal has colours.
pub(super) struct Show {
    pub(super) names: Vec<(String, &'static str)>,
    pub(super) colours: bool,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    requests: u64,
    failed_attempts: u64,
    /// Requests with a failed attempt whose client was answered well.
    rescued: u64,
    /// Requests whose client got an error or half an answer.
    lost: u64,
}

impl Tally {
    pub(super) fn add(&mut self, summary: &Summary) {
        let failed = failures(summary).count();
        self.requests += 1;
        self.failed_attempts += u64::try_from(failed).unwrap_or_default();
        if is_lost(summary) {
            self.lost += 1;
        } else if failed > 0 {
            self.rescued += 1;
        }
    }

    /// The end of the demonstration.
    pub(super) fn text(&self) -> String {
        let Tally { requests, failed_attempts, rescued, lost } = self;
        format!(
            "{requests} requests, {failed_attempts} failed attempts.\n\
             {rescued} requests with a failed attempt were answered well all the same, {lost} were not."
        )
    }
}

/// The failed attempts: no answer, or one that stands for a failure.
fn failures(summary: &Summary) -> impl Iterator<Item = (&str, String)> {
    summary.attempts.iter().filter_map(|(endpoint, outcome)| match outcome {
        Ok(status) if *status < 500 => None,
        Ok(status) => Some((endpoint.as_str(), format!("answered {status}"))),
        Err(phrase) => Some((endpoint.as_str(), shortened(phrase))),
    })
}

/// The client got an error, or the attempt that answered it broke off.
fn is_lost(summary: &Summary) -> bool {
    summary.status >= 500 || matches!(summary.attempts.last(), Some((_, Err(_))))
}

/// nginx's phrase without the system's number and where it happened, cut to its column.
fn shortened(phrase: &str) -> String {
    let phrase = phrase.split(" while ").next().unwrap_or(phrase);
    let phrase: String = match phrase.split_once(" (") {
        Some((what, why)) => {
            format!("{what} ({}", why.trim_start_matches(|c: char| c.is_ascii_digit() || ": ".contains(c)))
        }
        None => phrase.to_owned(),
    };
    if phrase.chars().count() <= PHRASE_WIDTH {
        return phrase;
    }
    phrase.chars().take(PHRASE_WIDTH - 1).chain(['…']).collect()
}

impl Show {
    /// A line for each failed attempt of a request; nothing for one that went well.
    pub(super) fn lines(&self, time: &str, summary: &Summary) -> String {
        let got = self.got(summary);
        let lines = failures(summary).map(|(endpoint, phrase)| {
            let name = self.name(endpoint);
            format!("{time}  {name:<6}  {phrase:<PHRASE_WIDTH$}  {got}\n")
        });
        lines.collect()
    }

    /// A line about the moody origin.
    pub(super) fn mood(&self, says: &str) -> String {
        self.coloured("2", &format!("-- moody now {says}")) + "\n"
    }

    fn got(&self, summary: &Summary) -> String {
        let status = summary.status;
        match summary.attempts.last() {
            Some((endpoint, Ok(_))) if status < 500 => {
                self.coloured("32", &format!("{status} from {}", self.name(endpoint)))
            }
            Some((_, Err(_))) if status < 500 => self.coloured("31", &format!("{status}, cut short")),
            _ => self.coloured("31", &status.to_string()),
        }
    }

    fn name<'a>(&self, endpoint: &'a str) -> &'a str {
        self.names.iter().find(|(address, _)| address == endpoint).map_or(endpoint, |(_, name)| *name)
    }

    fn coloured(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn show(colours: bool) -> Show {
        Show { names: vec![("a:1".into(), "steady"), ("a:2".into(), "moody"), ("a:3".into(), "backup")], colours }
    }

    fn summary(status: u16, attempts: &[(&str, Result<u16, &str>)]) -> Summary {
        let attempts =
            attempts.iter().map(|(endpoint, outcome)| ((*endpoint).to_owned(), outcome.map_err(str::to_owned)));
        Summary { method: "GET".into(), target: "/".into(), status, attempts: attempts.collect(), took: Duration::ZERO }
    }

    const REFUSED: &str = "connect() failed (111: Connection refused) while connecting to upstream";

    #[test]
    fn a_failed_attempt_is_a_line_with_what_the_client_got() {
        let summary = summary(200, &[("a:2", Err(REFUSED)), ("a:1", Ok(200))]);
        let expected = "08:09:10  moody   connect() failed (Connection refused)       200 from steady\n";
        assert_eq!(show(false).lines("08:09:10", &summary), expected);
    }

    #[test]
    fn requests_that_go_well_are_silent() {
        assert_eq!(show(false).lines("t", &summary(200, &[("a:1", Ok(200))])), "");
    }

    #[test]
    fn every_line_fits_eighty_columns() {
        let long = "x".repeat(200);
        let summary = summary(200, &[("a:2", Err(&long)), ("a:2", Ok(503)), ("a:3", Ok(200))]);
        let lines = show(false).lines("08:09:10", &summary);
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.lines().chain([HEADING]).all(|line| line.chars().count() <= 80), "{lines}");
    }

    #[test]
    fn columns_stand_under_their_heading() {
        let summary = summary(200, &[("a:2", Err(REFUSED)), ("a:1", Ok(200))]);
        let line = show(false).lines("08:09:10", &summary);
        for (word, title) in [("moody", "origin"), ("connect()", "what failed"), ("200 from", "the client got")] {
            assert_eq!(line.find(word), HEADING.find(title), "{word}");
        }
    }

    #[test]
    fn a_broken_answer_is_not_called_a_success() {
        let summary = summary(200, &[("a:2", Err("upstream prematurely closed connection"))]);
        assert!(show(false).lines("t", &summary).ends_with("200, cut short\n"));
        let mut tally = Tally::default();
        tally.add(&summary);
        assert_eq!((tally.rescued, tally.lost), (0, 1));
    }

    #[test]
    fn the_tally_tells_rescued_from_lost() {
        let mut tally = Tally::default();
        tally.add(&summary(200, &[("a:1", Ok(200))]));
        tally.add(&summary(200, &[("a:2", Err("x")), ("a:1", Ok(200))]));
        tally.add(&summary(502, &[("a:2", Err("x")), ("a:3", Err("y"))]));
        assert_eq!(tally, Tally { requests: 3, failed_attempts: 3, rescued: 1, lost: 1 });
        assert!(tally.text().lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert!(show(true).mood("is well").contains("\x1b["));
        assert_eq!(show(false).mood("is well"), "-- moody now is well\n");
    }
}
