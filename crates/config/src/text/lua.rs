//! Lua in braces, which OpenResty's directives have: passed over, so that such a directive is one fault and not fifty.
//! Not here: Lua.

/// Whether a directive's block is Lua and not nginx's language.
pub(super) fn is_lua_block(name: &str) -> bool {
    name.ends_with("_by_lua_block")
}

/// Where the `}` of a block stands whose `{` is before `start`; the end of the text if there is none. Braces in strings
/// and comments do not count.
pub(super) fn end_of_block(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.as_bytes() {
            [b'}', ..] if depth == 0 => return at,
            [b'}', ..] => depth -= 1,
            [b'{', ..] => depth += 1,
            _ => {}
        }
        at += opaque(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
    }
    text.len()
}

/// The length of a string or comment that the text starts with.
fn opaque(text: &str) -> Option<usize> {
    let long = |from: usize| Some(from + text.get(from..)?.find("]]").map_or(text.len() - from, |end| end + 2));
    if text.starts_with("[[") {
        return long(2);
    }
    if text.starts_with("--[[") {
        return long(4);
    }
    if text.starts_with("--") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, character)| {
        let ends = !escaped && (*character == quote || *character == '\n');
        escaped = !escaped && *character == '\\';
        ends
    });
    Some(end.map_or(text.len(), |(place, _)| place + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(text: &str) -> &str {
        &text[..end_of_block(text, 0)]
    }

    #[test]
    fn braces_are_counted() {
        assert_eq!(inside(" a = { b = {} } } c"), " a = { b = {} } ");
        assert_eq!(inside("never closed {"), "never closed {");
    }

    #[test]
    fn braces_in_strings_and_comments_are_not() {
        for text in ["\"}\"", "'\\'}'", "[[ } ]]", "--[[ } \n ]]", "-- }\n", "'é}'"] {
            assert_eq!(inside(&format!("{text}}}")), text);
        }
    }
}
