//! The steps of an examination, one behind the other, each told as it ends. Not here: what they come to (`verdict`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::Failure;
use rustls::RootCertStore;

use super::ask::{self, Answered};
use super::facts::{Connect, Facts, Listening, Tls};
use super::keep;
use super::link::{Endpoint, Link};
use super::local;
use super::resolve;
use super::target::{Place, Target};
use super::tls::{self, Wish};

/// How patient an examination is, and what it trusts.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// For each step.
    pub(super) timeout: Duration,
    /// For an idle connection to be closed; zero for not at all.
    pub(super) idle: Duration,
    pub(super) roots: Arc<RootCertStore>,
}

/// A step of an examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Resolve,
    Connect,
    Listens,
    Tls,
    Request,
    KeepAlive,
    Versions,
}

impl Step {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Step::Resolve => "resolve",
            Step::Connect => "connect",
            Step::Listens => "listens",
            Step::Tls => "tls",
            Step::Request => "request",
            Step::KeepAlive => "keep-alive",
            Step::Versions => "versions",
        }
    }
}

/// Who is told of the steps.
pub(super) trait Told {
    /// A step begins that may take a while.
    fn begins(&mut self, step: Step);
    /// It has ended; `facts` hold what it found.
    fn ended(&mut self, step: Step, facts: &Facts, took: Duration);
}

/// Goes through all steps, as far as they lead.
pub(super) fn examine(target: &Target, settings: &Settings, told: &mut dyn Told) -> Facts {
    let mut examination = Examination { target, settings, told, facts: Facts::default() };
    examination.run();
    examination.facts
}

struct Examination<'a> {
    target: &'a Target,
    settings: &'a Settings,
    told: &'a mut dyn Told,
    facts: Facts,
}

impl Examination<'_> {
    fn run(&mut self) {
        let endpoints = self.endpoints();
        if endpoints.is_empty() {
            return;
        }
        self.step(Step::Connect, |this| this.connect(&endpoints));
        self.step(Step::Listens, |this| this.facts.listening = this.listening(&endpoints));
        let works = self.facts.connects.iter().position(|connect| connect.result.is_ok());
        let Some(endpoint) = works.and_then(|at| endpoints.get(at)) else { return };
        if self.target.tls {
            self.step(Step::Tls, |this| this.facts.tls = Some(this.shake_hands(endpoint)));
            if matches!(self.facts.tls, Some(Err(_))) {
                return;
            }
        }
        let mut kept = None;
        self.step(Step::Request, |this| kept = this.request(endpoint));
        if let Some(link) = kept.filter(|_| !self.settings.idle.is_zero()) {
            self.step(Step::KeepAlive, |this| this.keep(link));
        }
        if matches!(self.facts.reply, Some(Ok(_))) && !self.target.tls {
            self.step(Step::Versions, |this| this.facts.h2c = this.speaks_h2c(endpoint));
        }
    }

    fn step(&mut self, step: Step, run: impl FnOnce(&mut Self)) {
        self.told.begins(step);
        let started = Instant::now();
        run(self);
        self.told.ended(step, &self.facts, started.elapsed());
    }

    fn endpoints(&mut self) -> Vec<Endpoint> {
        match &self.target.place {
            Place::Unix(path) => vec![Endpoint::Unix(path.clone())],
            Place::Host(host, port) => {
                let within = self.settings.timeout;
                self.step(Step::Resolve, |this| this.facts.resolved = Some(resolve::resolve(host, *port, within)));
                let found = self.facts.resolved.as_ref().and_then(|resolved| resolved.as_ref().ok());
                found.into_iter().flatten().copied().map(Endpoint::Tcp).collect()
            }
        }
    }

    fn connect(&mut self, endpoints: &[Endpoint]) {
        for endpoint in endpoints {
            let started = Instant::now();
            let result = endpoint.connect(self.settings.timeout).map(|_| started.elapsed());
            self.facts.connects.push(Connect { address: endpoint.shown(), result });
        }
    }

    /// Our own connections, closed by now, may still be in the queue.
    fn listening(&self, endpoints: &[Endpoint]) -> Option<Listening> {
        let mut found = local::listening(endpoints)?;
        let ours = self.facts.connects.iter().filter(|connect| connect.result.is_ok()).count();
        if let Some(listener) = &mut found.here {
            listener.waiting = listener.waiting.saturating_sub(u32::try_from(ours).unwrap_or(u32::MAX));
        }
        Some(found)
    }

    /// Says what the server would choose; then whether it needs to be told the name.
    fn shake_hands(&self, endpoint: &Endpoint) -> Result<Tls, Failure> {
        let name = self.target.server_name();
        let wish = Wish { name: &name, says_name: true, protocols: &["h2", "http/1.1"] };
        let mut found = self.secure(endpoint, wish)?.1;
        let nameless = self.secure(endpoint, Wish { says_name: false, ..wish });
        let is_name = name.parse::<std::net::IpAddr>().is_err();
        found.needs_name = is_name && nameless.map_or(true, |(_, nameless)| nameless.chain != found.chain);
        Ok(found)
    }

    fn secure(&self, endpoint: &Endpoint, wish: Wish<'_>) -> Result<(Link, Tls), Failure> {
        let plain = endpoint.connect(self.settings.timeout)?;
        if let Err(error) = plain.limit(self.settings.timeout) {
            return Err(Failure::from_io(policy::Phase::Tls, error.raw_os_error(), false));
        }
        let (stream, found) = tls::handshake(plain, wish, &self.settings.roots)?;
        Ok((Link::Tls(Box::new(stream)), found))
    }

    fn open(&self, endpoint: &Endpoint) -> Result<Link, Failure> {
        if !self.target.tls {
            return endpoint.connect(self.settings.timeout).map(Link::Plain);
        }
        let name = self.target.server_name();
        let wish = Wish { name: &name, says_name: true, protocols: &["http/1.1"] };
        self.secure(endpoint, wish).map(|(link, _)| link)
    }

    /// Asks; a connection that can be used again is returned.
    fn request(&mut self, endpoint: &Endpoint) -> Option<Link> {
        let asked = self.open(endpoint).and_then(|mut link| {
            let answered = ask::ask(&mut link, self.target, self.settings.timeout)?;
            Ok((answered, link))
        });
        match asked {
            Ok((Answered { reply, reusable }, link)) => {
                self.facts.reply = Some(Ok(reply));
                reusable.then_some(link)
            }
            Err(failure) => {
                self.facts.reply = Some(Err(failure));
                None
            }
        }
    }

    fn keep(&mut self, mut link: Link) {
        let (reuse, reusable) = keep::reuse(&mut link, self.target, self.settings.timeout);
        self.facts.reuse = Some(reuse);
        if reusable {
            self.facts.idle = Some(keep::idle(&mut link, 2, self.settings.idle));
        }
    }

    fn speaks_h2c(&self, endpoint: &Endpoint) -> Option<bool> {
        let plain = endpoint.connect(self.settings.timeout).ok()?;
        Some(keep::h2c(plain, self.settings.timeout))
    }
}
