//! What one line was found to say: whose it is, what it means, and which causes it may have. Not here: how it is found
//! (each vendor's room) and how it is shown.

use std::borrow::Cow;
use std::sync::LazyLock;

use policy::Cause;

/// Whose words they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Vendor {
    Tidegate,
    Nginx,
    Haproxy,
    Envoy,
    Traefik,
    Caddy,
    Apache,
    Alb,
    /// An application server, or the kernel that it runs on.
    Server,
    /// A message of Go's standard library, whoever wrote it.
    Go,
    /// A message of OpenSSL, whoever wrote it.
    OpenSsl,
    /// An access log in a form that many write.
    AccessLog,
    /// A status alone.
    Http,
}

impl Vendor {
    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Vendor::Tidegate => "Tidegate",
            Vendor::Nginx => "nginx",
            Vendor::Haproxy => "HAProxy",
            Vendor::Envoy => "Envoy",
            Vendor::Traefik => "Traefik",
            Vendor::Caddy => "Caddy",
            Vendor::Apache => "Apache httpd",
            Vendor::Alb => "AWS ALB",
            Vendor::Server => "application",
            Vendor::Go => "Go",
            Vendor::OpenSsl => "OpenSSL",
            Vendor::AccessLog => "access log",
            Vendor::Http => "HTTP",
        }
    }
}

/// How far the words determine a cause. No numbers: nobody has counted how often each is the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Likelihood {
    /// The words say this and nothing else.
    Said,
    /// Something in the line, or in how the program works, speaks for it.
    MostLikely,
    /// The words fit.
    Possible,
}

impl Likelihood {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Likelihood::Said => "certain",
            Likelihood::MostLikely => "most likely",
            Likelihood::Possible => "possible",
        }
    }
}

/// A cause that words may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    pub(crate) cause: Cause,
    pub(crate) likelihood: Likelihood,
    /// What speaks for it, or how to tell; empty where the words say it.
    pub(crate) why: &'static str,
}

/// The words say this cause.
pub(crate) const fn said(cause: Cause) -> Candidate {
    Candidate { cause, likelihood: Likelihood::Said, why: "" }
}

/// This cause, because …
pub(crate) const fn likely(cause: Cause, why: &'static str) -> Candidate {
    Candidate { cause, likelihood: Likelihood::MostLikely, why }
}

/// Perhaps this cause, if …
pub(crate) const fn possible(cause: Cause, why: &'static str) -> Candidate {
    Candidate { cause, likelihood: Likelihood::Possible, why }
}

/// The words, whichever they are, say this cause.
pub(crate) fn certainly(cause: Cause) -> &'static [Candidate] {
    static ALL: LazyLock<Vec<Candidate>> = LazyLock::new(|| Cause::ALL.iter().map(|cause| said(*cause)).collect());
    let place = Cause::ALL.iter().position(|known| *known == cause);
    place.and_then(|place| ALL.get(place..=place)).unwrap_or_default()
}

/// What one line was found to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) vendor: Vendor,
    /// The words that count: a phrase, letters, a status.
    pub(crate) words: String,
    /// What they mean, in a sentence; empty if the candidates say it all.
    pub(crate) meaning: Cow<'static, str>,
    /// The likeliest first. None if the line tells of no failure, or of one that only `meaning` explains.
    pub(crate) candidates: Vec<Candidate>,
    /// What else the line tells: names and values.
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Reading {
    /// A reading with no facts yet.
    pub(crate) fn new(vendor: Vendor, words: impl Into<String>, candidates: &[Candidate]) -> Self {
        let (words, candidates) = (words.into(), candidates.to_vec());
        Self { vendor, words, meaning: Cow::Borrowed(""), candidates, facts: Vec::new() }
    }

    /// With what the words mean.
    pub(crate) fn meaning(mut self, meaning: impl Into<Cow<'static, str>>) -> Self {
        self.meaning = meaning.into();
        self
    }

    /// With a fact, if it is known.
    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !matches!(value.as_str(), "" | "-") {
            self.facts.push((name, value));
        }
        self
    }
}
