//! The shape of a row of the directive table, and short constructors to write one. Not here: the rows.

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

pub(super) const MAIN: &[Context] = &[Context::Main];
pub(super) const EVENTS: &[Context] = &[Context::Events];
pub(super) const HTTP: &[Context] = &[Context::Http];
pub(super) const SERVER: &[Context] = &[Context::Server];
pub(super) const LOCATION: &[Context] = &[Context::Location];
pub(super) const UPSTREAM: &[Context] = &[Context::Upstream];
pub(super) const HTTP_SERVER: &[Context] = &[Context::Http, Context::Server];
pub(super) const SERVER_LOCATION: &[Context] = &[Context::Server, Context::Location];
pub(super) const EVERYWHERE: &[Context] = &[
    Context::Main,
    Context::Events,
    Context::Http,
    Context::Server,
    Context::Location,
    Context::Upstream,
];
/// The three levels that inherit from one another.
pub(super) const LEVELS: &[Context] = &[Context::Http, Context::Server, Context::Location];

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

pub(super) fn exactly(count: usize) -> Arity {
    between(count, count)
}

pub(super) fn between(min: usize, max: usize) -> Arity {
    Arity { min, max }
}

pub(super) fn at_least(min: usize) -> Arity {
    between(min, usize::MAX)
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
        match self.meaning {
            Meaning::Nothing { reason, .. } => Status::NoEffect(reason),
            _ => Status::Supported,
        }
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
        Self {
            repeats: true,
            ..self
        }
    }

    pub(super) fn block(self) -> Self {
        Self {
            block: true,
            ..self
        }
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

/// What the word of a directive without effect must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Any,
    Flag,
    Number,
    Size,
    Time,
}

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
    Choice(&'static [(&'static str, fn(&mut T))]),
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

/// A module's constructor of rows: knows the module's name.
fn row(name: &'static str, contexts: &'static [Context], arity: Arity, meaning: Meaning) -> Row {
    Row {
        name,
        module: "",
        contexts,
        arity,
        block: false,
        repeats: false,
        syntax: "",
        default: None,
        help: "",
        manual: "",
        differs: None,
        meaning,
    }
}

/// `name on | off`.
pub(super) fn flag<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut bool,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::Flag(field).into()).syntax("on | off")
}

/// `name NUMBER`.
pub(super) fn count<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut usize,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::Count(field).into()).syntax("number")
}

/// `name NUMBER`, where large numbers make sense.
pub(super) fn long_count<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut u64,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::LongCount(field).into()).syntax("number")
}

/// `name SIZE`, held in memory.
pub(super) fn size<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut usize,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::Size(field).into()).syntax("size")
}

/// `name SIZE` of something that memory need not hold.
pub(super) fn long_size<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut u64,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::LongSize(field).into()).syntax("size")
}

/// `name TIME`.
pub(super) fn time<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut Duration,
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::Time(field).into()).syntax("time")
}

/// `name NUMBER SIZE`.
pub(super) fn buffers<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    field: fn(&mut T) -> &mut (usize, usize),
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(2), Setter::Buffers(field).into()).syntax("number size")
}

/// `name WORD`, one of a few.
pub(super) fn choice<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    words: &'static [(&'static str, fn(&mut T))],
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, exactly(1), Setter::Choice(words).into())
}

/// Anything that needs a function of its own.
pub(super) fn custom<T: 'static>(
    name: &'static str,
    contexts: &'static [Context],
    arity: Arity,
    setter: fn(&mut Build<'_>, &mut T, &Line<'_>),
) -> Row
where
    Meaning: From<Setter<T>>,
{
    row(name, contexts, arity, Setter::With(setter).into())
}

/// Something that other lines name.
pub(super) fn definition(
    name: &'static str,
    contexts: &'static [Context],
    arity: Arity,
    define: fn(&mut Build<'_>, &Line<'_>),
) -> Row {
    row(name, contexts, arity, Meaning::Define(define))
}

/// A block that the builder enters.
pub(super) fn section(name: &'static str, contexts: &'static [Context], arity: Arity) -> Row {
    row(name, contexts, arity, Meaning::Block).block()
}

/// A knob that changes nothing here, and why.
pub(super) fn nothing(
    name: &'static str,
    contexts: &'static [Context],
    value: Value,
    reason: &'static str,
) -> Row {
    let arity = match value {
        Value::Any => at_least(0),
        _ => exactly(1),
    };
    row(name, contexts, arity, Meaning::Nothing { reason, value })
        .syntax(value.syntax())
        .help("Accepted, and changes nothing here.")
        .manual(reason)
        .differs("It changes nothing here; `tidegate check` says so.")
}

impl Value {
    fn syntax(self) -> &'static str {
        match self {
            Value::Any => "…",
            Value::Flag => "on | off",
            Value::Number => "number",
            Value::Size => "size",
            Value::Time => "time",
        }
    }
}
