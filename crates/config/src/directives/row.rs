//! The shape of a row of the directive table. Not here: the rows, and the short constructors to write one.

use std::time::Duration;

use crate::build::{Build, Host, Level, Line, UpstreamDraft};
use crate::model::Main;

/// Where a directive may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is the block of the same name")]
pub enum Context {
    Main,
    Events,
    Http,
    Server,
    Location,
    Upstream,
}

impl Context {
    /// The block's name as nginx's documentation has it.
    pub fn word(self) -> &'static str {
        match self {
            Context::Main => "main",
            Context::Events => "events",
            Context::Http => "http",
            Context::Server => "server",
            Context::Location => "location",
            Context::Upstream => "upstream",
        }
    }
}

/// How many words may follow a directive's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    /// At least.
    pub min: usize,
    /// At most; `usize::MAX` for any number.
    pub max: usize,
}

impl Arity {
    /// Whether `count` words are right.
    pub fn allows(self, count: usize) -> bool {
        (self.min..=self.max).contains(&count)
    }
}

/// One directive: everything that the checks, the manual and the builder know of it.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// nginx's module that has it, or `tidegate` for one of ours.
    pub module: &'static str,
    /// Where it may stand.
    pub contexts: &'static [Context],
    /// How many words follow the name.
    pub arity: Arity,
    /// Whether a `{ … }` follows.
    pub block: bool,
    /// Whether it may be written more than once at a level.
    pub repeats: bool,
    /// What follows the name, as the manual shows it.
    pub syntax: &'static str,
    /// What holds when it is not written, as it would be written.
    pub default: Option<&'static str>,
    /// One line.
    pub help: &'static str,
    /// A few sentences: units, what it is for, what to beware of.
    pub manual: &'static str,
    /// How it differs from nginx's directive of the same name.
    pub differs: Option<&'static str>,
    /// Why it changes nothing yet, though its words are read and checked.
    pub(super) no_effect_yet: Option<&'static str>,
    /// What it does.
    pub(crate) meaning: Meaning,
}

/// Whether a directive does anything here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Supported,
    /// It is read and changes nothing, for this reason.
    NoEffect(&'static str),
}

impl Row {
    /// Whether it does anything here.
    pub fn status(&self) -> Status {
        let reason = match &self.meaning {
            Meaning::Nothing { reason, .. } => Some(*reason),
            _ => self.no_effect_yet,
        };
        reason.map_or(Status::Supported, Status::NoEffect)
    }

    /// Read and checked, and nothing obeys it yet.
    pub(super) fn no_effect_yet(self, reason: &'static str) -> Self {
        let no_effect_yet = Some(reason);
        Self { no_effect_yet, ..self }
    }

    pub(super) fn of_module(self, module: &'static str) -> Self {
        Self { module, ..self }
    }

    pub(super) fn default(self, default: &'static str) -> Self {
        let default = Some(default);
        Self { default, ..self }
    }

    pub(super) fn syntax(self, syntax: &'static str) -> Self {
        Self { syntax, ..self }
    }

    pub(super) fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    pub(super) fn manual(self, manual: &'static str) -> Self {
        Self { manual, ..self }
    }

    pub(super) fn differs(self, differs: &'static str) -> Self {
        let differs = Some(differs);
        Self { differs, ..self }
    }

    pub(super) fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    pub(super) fn block(self) -> Self {
        Self { block: true, ..self }
    }
}

/// What a row writes to, and how.
pub(crate) enum Meaning {
    /// The main and events contexts.
    Main(Setter<Main>),
    /// A level: http, server or location.
    Level(Setter<Level>),
    /// A virtual host.
    Host(Setter<Host>),
    /// An upstream block.
    Upstream(Setter<UpstreamDraft>),
    /// Something that other lines name: read before them.
    Define(fn(&mut Build<'_>, &Line<'_>)),
    /// A block of its own, which the builder enters by name.
    Block,
    /// Nothing: a knob without an effect here. Its value is checked all the same.
    Nothing { reason: &'static str, value: Value },
}

/// What the words of a directive without effect must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// Any words: at least so many, at most so many.
    Words(usize, usize),
    /// Some of these.
    Choice(&'static [&'static str]),
    Flag,
    Number,
    /// Bytes in memory.
    Size,
    /// Bytes of a file.
    Offset,
    /// A number and the size of each.
    Buffers,
    /// A time to the millisecond.
    Time,
    /// A time in seconds.
    Seconds,
}

/// Words and what each writes.
pub(crate) type Words<T> = &'static [(&'static str, fn(&mut T))];

/// How the words of a directive reach a field of `T`.
pub(crate) enum Setter<T: 'static> {
    /// `on` or `off`.
    Flag(fn(&mut T) -> &mut bool),
    /// A count.
    Count(fn(&mut T) -> &mut usize),
    /// A count that may be large.
    LongCount(fn(&mut T) -> &mut u64),
    /// Bytes that memory must hold: `8k`, `1m`.
    Size(fn(&mut T) -> &mut usize),
    /// Bytes of a file or a body: `8k`, `1m`, `2g`.
    LongSize(fn(&mut T) -> &mut u64),
    /// `500ms`, `60`, `1h30m`.
    Time(fn(&mut T) -> &mut Duration),
    /// `NUMBER SIZE`.
    Buffers(fn(&mut T) -> &mut (usize, usize)),
    /// One of these words.
    Choice(Words<T>),
    /// Anything else.
    With(fn(&mut Build<'_>, &mut T, &Line<'_>)),
}

impl From<Setter<Main>> for Meaning {
    fn from(setter: Setter<Main>) -> Self {
        Meaning::Main(setter)
    }
}

impl From<Setter<Level>> for Meaning {
    fn from(setter: Setter<Level>) -> Self {
        Meaning::Level(setter)
    }
}

impl From<Setter<Host>> for Meaning {
    fn from(setter: Setter<Host>) -> Self {
        Meaning::Host(setter)
    }
}

impl From<Setter<UpstreamDraft>> for Meaning {
    fn from(setter: Setter<UpstreamDraft>) -> Self {
        Meaning::Upstream(setter)
    }
}

impl Value {
    pub(super) fn syntax(self) -> &'static str {
        match self {
            Value::Words(..) => "…",
            Value::Choice(..) => "word",
            Value::Flag => "on | off",
            Value::Number => "number",
            Value::Size | Value::Offset => "size",
            Value::Buffers => "number size",
            Value::Time | Value::Seconds => "time",
        }
    }
}
