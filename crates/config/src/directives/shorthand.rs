//! Short constructors of rows, one for each usual kind of directive, and the sets of contexts. Not here: the rows.

use std::time::Duration;

use super::row::{Arity, Context, Meaning, Setter, Words};
pub(super) use super::row::{Row, Value};
use crate::build::{Build, Line};

pub(super) const MAIN: &[Context] = &[Context::Main];
pub(super) const EVENTS: &[Context] = &[Context::Events];
pub(super) const HTTP: &[Context] = &[Context::Http];
pub(super) const SERVER: &[Context] = &[Context::Server];
pub(super) const LOCATION: &[Context] = &[Context::Location];
pub(super) const UPSTREAM: &[Context] = &[Context::Upstream];
pub(super) const HTTP_SERVER: &[Context] = &[Context::Http, Context::Server];
pub(super) const SERVER_LOCATION: &[Context] = &[Context::Server, Context::Location];
pub(crate) const EVERYWHERE: &[Context] =
    &[Context::Main, Context::Events, Context::Http, Context::Server, Context::Location, Context::Upstream];
/// The three levels that inherit from one another.
pub(super) const LEVELS: &[Context] = &[Context::Http, Context::Server, Context::Location];

pub(super) fn exactly(count: usize) -> Arity {
    between(count, count)
}

pub(super) fn between(min: usize, max: usize) -> Arity {
    Arity { min, max }
}

pub(super) fn at_least(min: usize) -> Arity {
    between(min, usize::MAX)
}

/// A row whose module is set when the table is put together, and whose texts follow.
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
        no_effect_yet: None,
        meaning,
    }
}

/// `name on | off`.
pub(super) fn flag<T: 'static>(name: &'static str, contexts: &'static [Context], field: fn(&mut T) -> &mut bool) -> Row
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
pub(super) fn size<T: 'static>(name: &'static str, contexts: &'static [Context], field: fn(&mut T) -> &mut usize) -> Row
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
pub(super) fn choice<T: 'static>(name: &'static str, contexts: &'static [Context], words: Words<T>) -> Row
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
pub(super) fn nothing(name: &'static str, contexts: &'static [Context], value: Value, reason: &'static str) -> Row {
    let arity = match value {
        Value::Words(least, most) => between(least, most),
        Value::Choice(_) => at_least(1),
        Value::Buffers => exactly(2),
        _ => exactly(1),
    };
    row(name, contexts, arity, Meaning::Nothing { reason, value })
        .syntax(value.syntax())
        .help("Accepted, and changes nothing here.")
        .manual(reason)
        .differs("It changes nothing here; `tidegate check` says so.")
}
