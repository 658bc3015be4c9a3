//! Field lines as received: order, case and duplicates kept, in one flat list over one run of bytes.
//! Not here: what any field means.

use crate::head::parse_field_line;
use crate::syntax;

/// A field line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, as written.
    pub name: &'a [u8],
    /// The value, without surrounding white space.
    pub value: &'a [u8],
}

/// Where a line lies in the bytes.
#[derive(Debug, Clone, Copy)]
struct Line {
    name: u32,
    name_len: u32,
    value: u32,
    value_len: u32,
}

/// Room made at once for as many lines as most heads have.
const USUAL_LINES: usize = 20;

/// A list of field lines. No value holds a CR, an LF or a NUL, wherever it came from.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

impl Fields {
    /// An empty list.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), lines: Vec::new() }
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
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
        let range = |at: u32, len: u32| self.bytes.get(at as usize..(at + len) as usize).unwrap_or_default();
        Field { name: range(line.name, line.name_len), value: range(line.value, line.value_len) }
    }

    fn matching<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> + Clone {
        let length = name.len() as u32;
        let same = move |line: &&Line| {
            line.name_len == length && self.field(**line).name.eq_ignore_ascii_case(name.as_bytes())
        };
        self.lines.iter().filter(same)
    }

    /// The first value of that name, compared without regard to case.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.matching(name).next().map(|line| self.field(*line).value)
    }

    /// Every value of that name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.matching(name).map(|line| self.field(*line).value)
    }

    /// Whether a line of that name exists.
    pub fn contains(&self, name: &str) -> bool {
        self.matching(name).next().is_some()
    }

    /// Whether a comma-separated list of that name holds `token`, compared without regard to case.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
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
        self.lines.push(Line { name: at, name_len, value: at + name_len, value_len });
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

    /// Takes the lines up to the first that is none.
    pub(crate) fn salvage(&mut self, block: &[u8]) {
        self.load(block);
        let mut at = 0;
        while let Some(line) = syntax::line(block, at)
            && let Some((name, value)) = parse_field_line(block, at, line.end)
        {
            self.line(name, value);
            at = line.next;
        }
    }

    /// Takes over the bytes that lines added by [`Fields::line`] will lie in.
    pub(crate) fn load(&mut self, bytes: &[u8]) {
        self.clear();
        self.bytes.extend_from_slice(bytes);
        self.lines.reserve(USUAL_LINES);
    }

    /// Adds a line that lies in the loaded bytes.
    pub(crate) fn line(&mut self, name: std::ops::Range<usize>, value: std::ops::Range<usize>) {
        self.lines.push(Line {
            name: name.start as u32,
            name_len: name.len() as u32,
            value: value.start as u32,
            value_len: value.len() as u32,
        });
    }

    /// The same for a line whose value has control bytes: each becomes a space (RFC 9110 §5.5).
    pub(crate) fn clean_line(&mut self, name: std::ops::Range<usize>, value: std::ops::Range<usize>) {
        for byte in self.bytes[value.clone()].iter_mut().filter(|byte| !syntax::is_value(**byte)) {
            *byte = b' ';
        }
        self.line(name, value);
    }

    /// The loaded bytes, whole.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
