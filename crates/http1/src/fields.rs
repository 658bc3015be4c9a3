//! Field lines as received: order, case and duplicates kept, in one flat list over one run of bytes.
//! Not here: what any field means.

use std::ops::Range;

use crate::encode;
use crate::head::parse_field_line;
use crate::names::{Names, is_variable_of, mark};
use crate::syntax;

/// A field line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, as written.
    pub name: &'a [u8],
    /// The value, without surrounding white space.
    pub value: &'a [u8],
    /// That of the name.
    mark: u8,
}

impl Field<'_> {
    /// Where the name is in a set.
    #[inline]
    pub fn place_in<T: AsRef<[N]>, N: AsRef<str>>(&self, names: &Names<T>) -> Option<usize> {
        names.find(self.mark, self.name)
    }

    /// Whether the name is in a set.
    #[inline]
    pub fn is_in<T: AsRef<[N]>, N: AsRef<str>>(&self, names: &Names<T>) -> bool {
        self.place_in(names).is_some()
    }
}

/// Where a line lies in the bytes.
#[derive(Debug, Clone, Copy)]
struct Line {
    name: u32,
    name_len: u32,
    value: u32,
    value_len: u32,
    mark: u8,
}

impl Line {
    fn new(bytes: &[u8], name: &Range<usize>, value: &Range<usize>) -> Self {
        Self {
            name: name.start as u32,
            name_len: name.len() as u32,
            value: value.start as u32,
            value_len: value.len() as u32,
            mark: mark(&bytes[name.clone()]),
        }
    }

    fn name(self) -> Range<usize> {
        self.name as usize..(self.name + self.name_len) as usize
    }

    fn value(self) -> Range<usize> {
        self.value as usize..(self.value + self.value_len) as usize
    }
}

/// Room made at once for as many lines as most heads have.
const USUAL_LINES: usize = 20;

/// A list of field lines. No value holds a CR, an LF or a NUL, wherever it came from.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// The marks of all names that are here, and perhaps of some that are not any more: most lookups of a name that is not
    /// here end at once.
    marks: u64,
}

impl Fields {
    /// An empty list.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), lines: Vec::new(), marks: 0 }
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
        self.marks = 0;
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines in order.
    pub fn iter(&self) -> impl Iterator<Item = Field<'_>> + Clone {
        self.lines.iter().map(|line| self.field(*line))
    }

    fn field(&self, line: Line) -> Field<'_> {
        let part = |range| self.bytes.get(range).unwrap_or_default();
        Field { name: part(line.name()), value: part(line.value()), mark: line.mark }
    }

    #[inline]
    fn matching<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> + Clone {
        let mark = mark(name.as_bytes());
        let same =
            move |line: &&Line| line.mark == mark && self.field(**line).name.eq_ignore_ascii_case(name.as_bytes());
        let lines = if self.may_have(name) { &self.lines[..] } else { &[] };
        lines.iter().filter(same)
    }

    /// False for most names that no line has.
    #[inline]
    fn may_have(&self, name: &str) -> bool {
        self.marks & 1 << mark(name.as_bytes()) != 0
    }

    /// The first value of that name, compared without regard to case.
    #[inline]
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        if self.may_have(name) { self.first(name) } else { None }
    }

    fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.matching(name).next().map(|line| self.field(*line).value)
    }

    /// Every value of that name, in order.
    #[inline]
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.matching(name).map(|line| self.field(*line).value)
    }

    /// Every value of the field that has this variable (`user_agent`).
    pub fn of_variable<'a>(&'a self, variable: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        let mark = mark(variable.as_bytes());
        let lines = self.lines.iter().filter(move |line| line.mark == mark).map(|line| self.field(*line));
        lines.filter(|field| is_variable_of(variable, field.name)).map(|field| field.value)
    }

    /// Whether a line of that name exists.
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a comma-separated list of that name holds `token`, compared without regard to case.
    #[inline]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.may_have(name) && self.lists(name, token)
    }

    fn lists(&self, name: &str, token: &str) -> bool {
        self.get_all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// nginx's words for a field that came twice.
    pub fn repetition(&self, name: &str) -> String {
        let lines = self.iter().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut lines = lines.map(|field| format!("{}: {}", text(field.name), text(field.value)));
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        format!("duplicate header line: \"{second}\", previous value: \"{first}\"")
    }

    /// Adds a line at the end.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(name);
        syntax::write_clean(&mut self.bytes, value);
        let (name_len, value_len) = (name.len() as u32, value.len() as u32);
        self.add(Line { name: at, name_len, value: at + name_len, value_len, mark: mark(name) });
    }

    fn add(&mut self, line: Line) {
        self.marks |= 1 << line.mark;
        self.lines.push(line);
    }

    /// Removes every line of that name; how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.len();
        self.retain(|field| !field.name.eq_ignore_ascii_case(name.as_bytes()));
        before - self.len()
    }

    /// Puts `value` in place of the first line of that name, or at the end; further lines of the name go.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        let at = self.bytes.len() as u32;
        let mut placed = false;
        let mut lines = std::mem::take(&mut self.lines);
        syntax::write_clean(&mut self.bytes, value);
        lines.retain_mut(|line| {
            if !self.field(*line).name.eq_ignore_ascii_case(name) {
                return true;
            }
            line.value = at;
            line.value_len = value.len() as u32;
            !std::mem::replace(&mut placed, true)
        });
        self.lines = lines;
        if !placed {
            self.bytes.truncate(at as usize);
            self.push(name, value);
        }
    }

    /// Keeps the lines for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Field<'_>) -> bool) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|line| keep(self.field(*line)));
        self.lines = lines;
    }

    /// Writes the lines that `keep` chooses. Neighbours that came as they would be written are copied at once.
    pub fn write(&self, out: &mut Vec<u8>, mut keep: impl FnMut(Field<'_>) -> bool) {
        let mut run = 0..0;
        for line in &self.lines {
            let field = self.field(*line);
            if !keep(field) {
                continue;
            }
            let whole = self.as_written(*line);
            if whole.start != run.end {
                out.extend_from_slice(&self.bytes[std::mem::take(&mut run)]);
                run.start = whole.start;
            }
            run.end = whole.end;
            if whole.is_empty() {
                encode::line(out, field);
            }
        }
        out.extend_from_slice(&self.bytes[run]);
    }

    /// Where `name: value` with its CRLF lies in the bytes, if it lies there so.
    fn as_written(&self, line: Line) -> Range<usize> {
        let (name, value) = (line.name(), line.value());
        let whole = name.start..value.end + 2;
        let lies_so = value.start == name.end + 2
            && self.bytes[name.end..].starts_with(b": ")
            && self.bytes.get(value.end..whole.end) == Some(b"\r\n");
        if lies_so { whole } else { 0..0 }
    }

    /// Takes the lines up to the first that is none.
    pub(crate) fn salvage(&mut self, block: &[u8]) {
        self.clear();
        self.bytes.extend_from_slice(block);
        let mut at = 0;
        while let Some(line) = syntax::line(block, at)
            && let Some((name, value)) = parse_field_line(block, at, line.end)
        {
            self.add(Line::new(block, &name, &value));
            at = line.next;
        }
    }

    /// Notes where in a block a line lies that [`Fields::read_noted`] is to read.
    pub(crate) fn note(&mut self, line: Range<usize>) {
        if self.lines.capacity() == 0 {
            self.lines = Vec::with_capacity(USUAL_LINES);
        }
        let mark = 0;
        self.lines.push(Line { name: line.start as u32, name_len: line.len() as u32, value: 0, value_len: 0, mark });
    }

    /// Takes over the block that the noted lines lie in, and makes of each what `read` finds: name and value, or nothing.
    pub(crate) fn read_noted<E>(
        &mut self,
        block: &[u8],
        mut read: impl FnMut(&mut [u8], Range<usize>) -> Result<Option<(Range<usize>, Range<usize>)>, E>,
    ) -> Result<(), E> {
        let mut noted = std::mem::take(&mut self.lines);
        self.bytes = block.to_vec();
        let mut kept = 0;
        for at in 0..noted.len() {
            if let Some((name, value)) = read(&mut self.bytes, noted[at].name())? {
                noted[kept] = Line::new(&self.bytes, &name, &value);
                self.marks |= 1 << noted[kept].mark;
                kept += 1;
            }
        }
        noted.truncate(kept);
        self.lines = noted;
        Ok(())
    }

    /// The loaded bytes, whole.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
