//! Lists of routes, clients and endpoints on a terminal. Not here: which are listed (`findings`).

use super::{Page, shortened};
use crate::report::findings::Place;
use crate::report::units::{duration, grouped, percent};

/// Letters for a place's name.
const NAME: usize = 46;

/// What there is to say of places.
struct Columns {
    requests: bool,
    times: bool,
}

impl Columns {
    fn names(&self, failed: &str, pad: usize) -> String {
        let requests = if self.requests { format!("{:>12}", "requests") } else { String::new() };
        let share = if self.requests { format!("{:>10}", "share") } else { String::new() };
        let times = if self.times { format!("{:>10}{:>10}", "p50", "p99") } else { String::new() };
        format!("{:pad$}{requests}{failed:>10}{share}{times}", "")
    }

    fn values(&self, place: &Place) -> String {
        let mut text = String::new();
        let failures = if place.failures > 0 { grouped(place.failures) } else { String::new() };
        if self.requests {
            let about = if place.over > 0 { "≤ " } else { "" };
            text += &format!("{:>12}", format!("{about}{}", grouped(place.requests)));
        }
        text += &format!("{failures:>10}");
        if self.requests {
            let share = place.failures as f64 / place.requests.max(1) as f64;
            let share = if place.failures > 0 { percent(share) } else { String::new() };
            text += &format!("{share:>10}");
        }
        if self.times {
            let [p50, p99] = [place.p50, place.p99].map(|micros| micros.map(duration).unwrap_or_default());
            text += &format!("{p50:>10}{p99:>10}");
        }
        text
    }
}

impl Page {
    /// A list with its heading; `failed` names the column of failures.
    pub(super) fn places(&mut self, heading: &str, failed: &str, places: &[Place]) {
        if places.is_empty() {
            return;
        }
        let columns = Columns {
            requests: places.iter().any(|place| place.requests > 0),
            times: places.iter().any(|place| place.p50.is_some()),
        };
        let heading =
            format!("{}{}", self.style.bold(heading), columns.names(failed, NAME - heading.chars().count().min(NAME)));
        self.line("");
        self.line(&heading);
        for place in places {
            let name = shortened(&place.name, NAME - 2);
            let pad = NAME - 2 - name.chars().count();
            let line = format!("  {}{:pad$}{}", self.style.code(&name), "", columns.values(place));
            self.line(&line);
        }
    }
}
