//! Bytes as people write and read them: quoted strings with escapes, repeats, and `...` patterns. No I/O.

/// Reads a line of quoted strings, each perhaps repeated: `"GET / " 3 * "x" "\r\n"`.
pub(crate) fn read_quoted(line: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (times, quoted) = read_repeat(rest)?;
        let (piece, after) = read_one(quoted)?;
        bytes.extend(piece.repeat(times));
        rest = after.trim_start();
    }
    Ok(bytes)
}

fn read_repeat(text: &str) -> Result<(usize, &str), String> {
    if text.starts_with('"') {
        return Ok((1, text));
    }
    let wrong = || format!("expected \"bytes\" or 3 * \"bytes\", found `{text}`");
    let (times, quoted) = text.split_once('*').ok_or_else(wrong)?;
    let times = times.trim().parse().map_err(|_| wrong())?;
    Ok((times, quoted.trim_start()))
}

fn read_one(text: &str) -> Result<(Vec<u8>, &str), String> {
    let inner = text.strip_prefix('"').ok_or_else(|| format!("expected a quote at `{text}`"))?;
    let mut bytes = Vec::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((bytes, &inner[at + 1..])),
            '\\' => {
                let (_, escape) = letters.next().ok_or("a backslash ends the line")?;
                let hex = inner.get(at + 2..at + 4);
                if escape == 'x' {
                    letters.nth(1);
                }
                bytes.push(unescape(escape, hex)?);
            }
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Err(format!("no closing quote in `{text}`"))
}

fn unescape(escape: char, hex: Option<&str>) -> Result<u8, String> {
    match escape {
        'r' => Ok(b'\r'),
        'n' => Ok(b'\n'),
        't' => Ok(b'\t'),
        '0' => Ok(0),
        '\\' | '"' => Ok(escape as u8),
        'x' => hex
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| "\\x needs two hex digits".to_owned()),
        other => Err(format!("unknown escape \\{other}; known: \\r \\n \\t \\0 \\\\ \\\" \\xNN")),
    }
}

/// Shows bytes as text: line feeds and printable ASCII as they are, the rest escaped.
pub(crate) fn show(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\n' | b' '..=b'~' => text.push(char::from(byte)),
            other => text.extend(std::ascii::escape_default(other).map(char::from)),
        }
    }
    text
}

/// Whether `text` is `pattern`, in which each `...` stands for anything, nothing included.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Where `needle` starts in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
