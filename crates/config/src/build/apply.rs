//! A directive's words into the field that its row names. Not here: which field, which row.

use super::{Build, Line};
use crate::directives::{Setter, Value, Words};
use crate::text::units;

/// Writes what a line says into `target`; says what is wrong and leaves the target as it was otherwise.
pub(crate) fn apply<T>(build: &mut Build<'_>, setter: &Setter<T>, target: &mut T, line: &Line<'_>) {
    let word = line.word(0);
    match setter {
        Setter::Flag(field) => put(field(target), build.flag(line, word)),
        Setter::Count(field) => put(field(target), build.count(line, word).map(to_usize)),
        Setter::LongCount(field) => put(field(target), build.count(line, word)),
        Setter::Size(field) => put(field(target), build.size(line, word).map(to_usize)),
        Setter::LongSize(field) => put(field(target), build.offset(line, word)),
        Setter::Time(field) => put(field(target), build.time(line, word)),
        Setter::Buffers(field) => put(field(target), buffers(build, line)),
        Setter::Choice(words) => choose(build, words, target, line),
        Setter::With(set) => set(build, target, line),
    }
}

fn put<V>(field: &mut V, value: Option<V>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `NUMBER SIZE`, neither of them zero.
fn buffers(build: &mut Build<'_>, line: &Line<'_>) -> Option<(usize, usize)> {
    let number = units::count(&line.word(0).text).filter(|&number| number > 0);
    let size = units::size(&line.word(1).text).filter(|&size| size > 0);
    match (number, size) {
        (Some(number), Some(size)) => Some((to_usize(number), to_usize(size))),
        (number, _) => {
            let wrong = if number.is_none() { 0 } else { 1 };
            build.directive_error(line, line.word(wrong).span, "invalid value");
            build.help("a number of buffers and the size of each, such as: 8 16k");
            None
        }
    }
}

fn choose<T: 'static>(build: &mut Build<'_>, words: Words<T>, target: &mut T, line: &Line<'_>) {
    let word = line.word(0);
    let chosen = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(&word.text));
    match chosen {
        Some((_, set)) => set(target),
        None => {
            build.invalid_value(word);
            let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
            build.help(format!("one of: {}", known.join(", ")));
        }
    }
}

/// Checks the words of a directive that changes nothing here.
pub(crate) fn check_value(build: &mut Build<'_>, line: &Line<'_>, value: Value) {
    let word = line.word(0);
    match value {
        Value::Words(..) => {}
        Value::Choice(known) => check_words(build, line, known),
        Value::Flag => drop(build.flag(line, word)),
        Value::Number => drop(build.count(line, word)),
        Value::Size => drop(build.size(line, word)),
        Value::Offset => drop(build.offset(line, word)),
        Value::Buffers => drop(buffers(build, line)),
        Value::Time => drop(build.time(line, word)),
        Value::Seconds => drop(build.seconds(line, word)),
    }
}

fn check_words(build: &mut Build<'_>, line: &Line<'_>, known: &[&str]) {
    for word in line.words().iter().filter(|word| !known.contains(&word.text.as_str())) {
        build.invalid_value(word);
        build.help(format!("one of: {}", known.join(", ")));
    }
}
