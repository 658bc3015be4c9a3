//! Markup that is always well-formed as far as it can be, and escapes whatever is put into it. Not here: what a page has.

/// `&`, `<`, `>` and quotes become references; what no document may hold becomes a sign of it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A page that grows.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup that is already right.
    pub(super) fn push(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Opens an element, with a class if it is not empty.
    pub(super) fn open(&mut self, name: &str, class: &str) {
        match class {
            "" => self.push(&format!("<{name}>")),
            class => self.push(&format!("<{name} class=\"{class}\">")),
        }
    }

    /// Closes an element.
    pub(super) fn close(&mut self, name: &str) {
        self.push(&format!("</{name}>\n"));
    }

    /// An element with a text.
    pub(super) fn element(&mut self, name: &str, class: &str, text: &str) {
        self.open(name, class);
        self.push(&escaped(text));
        self.push(&format!("</{name}>"));
    }

    /// A text in which what stands in backticks is code.
    pub(super) fn code(&mut self, text: &str) {
        for (at, piece) in text.split('`').enumerate() {
            match at % 2 {
                0 => self.push(&escaped(piece)),
                _ => self.element("code", "", piece),
            }
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}
