//! What stands in a word: text and variables, as nginx's `ngx_http_script.c` tells them apart. Not here: which variables
//! there are.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'t> {
    /// Text without variables.
    Text(&'t str),
    /// `$1` to `$9`.
    Capture(u8),
    /// `$name` or `${name}`.
    Variable(&'t str),
}

/// What is wrong with a `$`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault<'t> {
    /// No name follows it.
    NoName,
    /// `${name` is not followed by `}`.
    Unclosed(&'t str),
}

impl Fault<'_> {
    /// nginx's words.
    pub(crate) fn message(self) -> String {
        match self {
            Fault::NoName => "invalid variable name".into(),
            Fault::Unclosed(name) => format!("the closing bracket in \"{name}\" variable is missing"),
        }
    }
}

/// The pieces of a text in order. After a fault the rest is text.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, Fault<'_>>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, next) = first(rest)?;
        rest = next;
        Some(piece)
    })
}

type First<'t> = (Result<Piece<'t>, Fault<'t>>, &'t str);

fn first(text: &str) -> Option<First<'_>> {
    let Some(after) = text.strip_prefix('$') else {
        let (before, rest) = text.split_at(text.find('$').unwrap_or(text.len()));
        return (!before.is_empty()).then_some((Ok(Piece::Text(before)), rest));
    };
    Some(variable(after))
}

/// What follows a `$`.
fn variable(text: &str) -> First<'_> {
    if let Some(digit @ b'1'..=b'9') = text.bytes().next() {
        return (Ok(Piece::Capture(digit - b'0')), text.get(1..).unwrap_or_default());
    }
    let braced = text.strip_prefix('{');
    let (name, rest) = name(braced.unwrap_or(text));
    let closed = if braced.is_some() { rest.strip_prefix('}') } else { Some(rest) };
    match closed {
        None if braced == Some("") => (Err(Fault::NoName), ""),
        None => (Err(Fault::Unclosed(name)), rest),
        Some(rest) if name.is_empty() => (Err(Fault::NoName), rest),
        Some(rest) => (Ok(Piece::Variable(name)), rest),
    }
}

fn name(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &str) -> Vec<Result<Piece<'_>, Fault<'_>>> {
        pieces(text).collect()
    }

    #[test]
    fn names_are_letters_digits_and_underscores() {
        assert_eq!(all("$a-b"), [Ok(Piece::Variable("a")), Ok(Piece::Text("-b"))]);
        assert_eq!(
            all("x$a_1B.$c"),
            [Ok(Piece::Text("x")), Ok(Piece::Variable("a_1B")), Ok(Piece::Text(".")), Ok(Piece::Variable("c"))]
        );
        assert_eq!(all("${a}b"), [Ok(Piece::Variable("a")), Ok(Piece::Text("b"))]);
    }

    #[test]
    fn captures_have_one_digit_and_no_braces() {
        assert_eq!(all("$12"), [Ok(Piece::Capture(1)), Ok(Piece::Text("2"))]);
        assert_eq!(all("${1}"), [Ok(Piece::Variable("1"))], "to nginx it is a variable that nobody defines");
        assert_eq!(all("$0"), [Ok(Piece::Variable("0"))]);
    }

    #[test]
    fn a_dollar_needs_a_name() {
        for text in ["$", "${", "${}", "$-", "$$", "a$"] {
            assert!(all(text).contains(&Err(Fault::NoName)), "{text}");
        }
    }

    #[test]
    fn an_open_brace_needs_its_closing_one() {
        assert_eq!(all("${a"), [Err(Fault::Unclosed("a"))]);
        assert_eq!(all("${a-}"), [Err(Fault::Unclosed("a")), Ok(Piece::Text("-}"))]);
        assert_eq!(all("${-"), [Err(Fault::Unclosed("")), Ok(Piece::Text("-"))]);
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "([a-z0-9.-]|\\$[a-z]|\\$\\{[a-z]\\}|\\$[1-9]){0,12}") {
            let again: String = pieces(&text).map(|piece| match piece {
                Ok(Piece::Text(text)) => text.to_owned(),
                Ok(Piece::Capture(number)) => format!("${number}"),
                Ok(Piece::Variable(name)) if text.contains(&format!("${{{name}}}")) => format!("${{{name}}}"),
                Ok(Piece::Variable(name)) => format!("${name}"),
                Err(_) => "no fault is in such a text".into(),
            }).collect();
            prop_assert_eq!(again.replace(['{', '}'], ""), text.replace(['{', '}'], ""));
        }

        #[test]
        fn any_text_has_pieces(text in "[${}a1é-]{0,16}|\\PC{0,16}") {
            let _ = all(&text);
        }
    }
}
