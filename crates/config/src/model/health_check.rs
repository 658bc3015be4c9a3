//! `health_check` and `match`: how endpoints are probed, and which answers pass. Not here: probing, and who is barred.

use std::sync::Arc;

use policy::health::active::ProbeSettings;

use super::{Proxy, Regex};

/// A `health_check` of the upstream that its location passes requests to.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    /// When it probes, and how many probes decide.
    pub settings: ProbeSettings,
    /// What a probe does.
    pub probe: Probe,
    /// `port=`: where it probes, if that is not where requests go.
    pub port: Option<u16>,
    /// The time limits, the address to bind, and the fields of a request: the location's.
    pub proxy: Arc<Proxy>,
    /// The `Host` of a request, unless `proxy_set_header` says another.
    pub host: Box<str>,
}

impl HealthCheck {
    /// Whether both mean the same by a pass, so that what one found holds for the other.
    pub fn asks_the_same(&self, other: &HealthCheck) -> bool {
        self.port == other.port && self.probe == other.probe
    }
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Asks, and judges the answer.
    Http {
        /// `uri=`, default `/`.
        uri: Box<str>,
        /// The `match` block; 2xx or 3xx passes without one.
        tests: Option<Arc<Match>>,
    },
    /// Connects, and no more.
    Tcp,
}

/// A `match NAME { … }` block: an answer passes that passes all of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its name.
    pub name: Box<str>,
    /// In the order written.
    pub tests: Vec<Test>,
}

/// One line of a `match` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `status [!] CODE|FROM-TO …;`
    Status {
        /// The status is one of them, or with `!` none.
        among: bool,
        /// First and last of each range.
        ranges: Vec<(u16, u16)>,
    },
    /// `header …;`
    Header {
        /// The field's name.
        name: Box<str>,
        /// What is wanted of it.
        wants: HeaderTest,
    },
    /// `body ~ REGEX;` or `body !~ REGEX;`
    Body {
        /// It matches, or does not.
        matches: bool,
        /// What it is matched against.
        regex: Regex,
    },
}

/// What a `header` line wants of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderTest {
    /// It is there.
    Present,
    /// It is not.
    Absent,
    /// It is there and has this value, or with `!=` another.
    Equals(bool, Box<str>),
    /// It is there and its value matches, or with `!~` does not.
    Matches(bool, Regex),
}
