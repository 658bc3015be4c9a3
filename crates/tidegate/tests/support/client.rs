//! The client of a case: plays its script, one step after the other, over as many connections as it names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::case::{Act, Case, ClientAct, Expect, Receive, Request, Step, Until, WireAct};
use crate::support::message::{End, Framing, Message};
use crate::support::moments::Moments;
use crate::support::place::Place;
use crate::support::server::{Server, poll};
use crate::support::wire::{PATIENCE, Stream, Wire};

pub(crate) struct Client<'a> {
    case: &'a Case,
    place: &'a Place,
    server: &'a mut Server,
    moments: Arc<Moments>,
    wires: BTreeMap<String, Wire>,
    current: String,
    last: Message,
    pub(crate) responses: Vec<Message>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(case: &'a Case, place: &'a Place, server: &'a mut Server, moments: &Arc<Moments>) -> Client<'a> {
        Client {
            case,
            place,
            server,
            moments: Arc::clone(moments),
            wires: BTreeMap::new(),
            current: "main".to_owned(),
            last: Message::default(),
            responses: Vec::new(),
        }
    }

    /// Plays the whole script; the error names the line at which it stopped.
    pub(crate) fn play(&mut self) -> Result<(), String> {
        let case = self.case;
        case.client.iter().try_for_each(|step| self.step(step).map_err(|why| format!("line {}: {why}", step.line)))
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match &step.act {
            Act::Wire(act) => self.wire_act(act),
            Act::Client(act) => self.client_act(act),
            Act::Expect(expect) => self.last.check(expect),
            Act::Notify(moment) => {
                self.moments.notify(moment);
                Ok(())
            }
            Act::Await(moment) => self.moments.wait(moment, PATIENCE),
            Act::Origin(_) => Err("this is an origin's step".to_owned()),
        }
    }

    fn wire_act(&mut self, act: &WireAct) -> Result<(), String> {
        if let Some(message) = self.wire()?.play(act)? {
            self.note(message);
        }
        if matches!(act, WireAct::Close | WireAct::Reset) {
            self.wires.remove(&self.current);
        }
        Ok(())
    }

    fn client_act(&mut self, act: &ClientAct) -> Result<(), String> {
        match act {
            ClientAct::Connect { name, to } => {
                let to = self.place.fill(to)?;
                self.current.clone_from(name);
                self.connect(&to)?;
            }
            ClientAct::On(name) => self.current.clone_from(name),
            ClientAct::Request(request) => {
                let answer = self.request(request)?;
                self.note(answer);
            }
            ClientAct::Repeat(request, until) => self.repeat(request, until)?,
            ClientAct::Crowd { count, again } => self.crowd(*count, *again)?,
            ClientAct::Kill(signal) => self.server.kill(*signal)?,
            ClientAct::WriteNextConfig => {
                let next = self.case.next.as_ref().ok_or("the case has no next configuration")?;
                self.server.write_config(self.place, next)?;
            }
            ClientAct::Rename { from, to } => {
                std::fs::rename(self.place.dir.join(from), self.place.dir.join(to))
                    .map_err(|error| format!("{from}: {error}"))?;
            }
            ClientAct::FileShows { file, text } => self.await_text(file, text)?,
            ClientAct::Exits(code) => self.await_exit(*code)?,
            ClientAct::MemoryBelow(mib) => self.check_memory(*mib)?,
        }
        Ok(())
    }

    fn await_exit(&mut self, code: i32) -> Result<(), String> {
        let status = self.server.await_exit()?;
        if status.code() == Some(code) {
            return Ok(());
        }
        Err(format!("expected exit code {code}, got {status}"))
    }

    fn check_memory(&self, mib: u64) -> Result<(), String> {
        let peak = self.server.peak_memory()?;
        if peak <= mib * 1024 {
            return Ok(());
        }
        Err(format!("expected a memory below {mib} MiB, got {peak} KiB"))
    }

    /// The answers must be 200; only the last one counts as received.
    fn crowd(&mut self, count: usize, again: bool) -> Result<(), String> {
        let ask = "GET / HTTP/1.1\r\nHost: crowd\r\n\r\n".to_owned();
        let ask = Request { head: ask, body: Vec::new(), bodiless_answer: false };
        for number in 1..=count {
            self.current = format!("crowd {number}");
            if again && !self.wires.contains_key(&self.current) {
                return Err(format!("the server has closed connection {number}"));
            }
            let answer = self.request(&ask).map_err(|why| format!("connection {number}: {why}"))?;
            answer.check(&Expect::Start("200".to_owned())).map_err(|why| format!("connection {number}: {why}"))?;
            self.last = answer;
        }
        self.responses.push(self.last.clone());
        Ok(())
    }

    /// Only the last answer counts as received.
    fn repeat(&mut self, request: &Request, until: &Until) -> Result<(), String> {
        let mut failure = String::new();
        let held = poll(|| match self.attempt(request, until) {
            Ok(answer) => {
                self.note(answer);
                true
            }
            Err(why) => {
                failure = why;
                false
            }
        });
        if held { Ok(()) } else { Err(failure) }
    }

    fn attempt(&mut self, request: &Request, until: &Until) -> Result<Message, String> {
        let answer = self.request(request)?;
        match until {
            Until::Answer(expect) => answer.check(expect)?,
            Until::FileShows { file, text } if self.read(file).contains(text) => {}
            Until::FileShows { file, text } => return Err(format!("{file} never showed `{text}`")),
        }
        Ok(answer)
    }

    fn read(&self, file: &str) -> String {
        let bytes = std::fs::read(self.place.dir.join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn note(&mut self, message: Message) {
        self.last = message.clone();
        self.responses.push(message);
    }

    fn await_text(&self, file: &str, text: &str) -> Result<(), String> {
        if poll(|| self.read(file).contains(text)) {
            return Ok(());
        }
        let has = self.read(file);
        Err(format!("{file} never showed `{text}`; it has:\n{has}"))
    }

    /// The current connection, opened if it is not.
    fn wire(&mut self) -> Result<&mut Wire, String> {
        if !self.wires.contains_key(&self.current) {
            let listen = self.place.value("listen").to_owned();
            self.connect(&listen)?;
        }
        self.wires.get_mut(&self.current).ok_or_else(|| "no connection".to_owned())
    }

    fn connect(&mut self, to: &str) -> Result<(), String> {
        let stream = Stream::connect(to).map_err(|error| format!("connect to {to}: {error}"))?;
        self.wires.insert(self.current.clone(), Wire::new(stream)?);
        Ok(())
    }

    fn request(&mut self, request: &Request) -> Result<Message, String> {
        let receive = if request.bodiless_answer { Receive::Bodiless } else { Receive::Message };
        let wire = self.wire()?;
        wire.send(request.head.as_bytes());
        wire.send(&request.body);
        let answer = wire.receive(&receive);
        if answer.as_ref().is_ok_and(|answer| stays_open(answer, request.bodiless_answer)) {
            return answer;
        }
        self.wires.remove(&self.current);
        answer
    }
}

/// Whether another request can follow on the connection.
fn stays_open(answer: &Message, bodiless: bool) -> bool {
    answer.end == End::Complete
        && answer.framing(bodiless) != Framing::UntilEnd
        && !answer.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}
