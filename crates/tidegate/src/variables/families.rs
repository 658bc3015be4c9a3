//! Families: fields of the request and of both responses, arguments, cookies, captures, maps.

use config::model::{Capture, Level, Variable};
use http1::Fields;

use super::{append, bytes, evaluate};
use crate::maps::MapTable;
use crate::request::Request;

/// `None` when the variable is of no family.
pub(super) fn value(variable: &Variable, request: &Request, out: &mut Vec<u8>) -> Option<bool> {
    let found = match variable {
        Variable::Http(name) => field(&request.head.fields, name, out),
        Variable::Arg(name) => bytes(out, argument(&request.uri.args, name.as_bytes())),
        Variable::Cookie(name) => bytes(out, cookie(request.head.fields.get_all("cookie"), name.as_bytes())),
        Variable::SentHttp(name) => sent_field(&request.record.sent_head, name, out),
        Variable::UpstreamHttp(name) => optional(request.record.upstream_fields.as_ref(), name, out),
        Variable::UpstreamTrailer(name) => optional(request.record.upstream_trailers.as_ref(), name, out),
        Variable::SentTrailer(name) => {
            request.record.sent_trailers && optional(request.record.upstream_trailers.as_ref(), name, out)
        }
        Variable::UpstreamCookie(name) => upstream_cookie(request, name, out),
        Variable::Capture(Capture::Number(number)) => bytes(out, request.captures.borrow().number(*number)),
        Variable::Capture(Capture::Named(name)) => bytes(out, request.captures.borrow().named(*name)),
        Variable::Set(name) => set(*name, request, out),
        Variable::Map(index) => map(&request.generation.tables.maps[*index], request, out),
        _ => return None,
    };
    Some(found)
}

fn optional(fields: Option<&Fields>, name: &str, out: &mut Vec<u8>) -> bool {
    fields.is_some_and(|fields| field(fields, name, out))
}

/// Every field of that name, joined by `, ` (`; ` for cookies), as nginx does since 1.23.
fn field(fields: &Fields, name: &str, out: &mut Vec<u8>) -> bool {
    let separator: &[u8] = if name == "cookie" { b"; " } else { b", " };
    join(fields.of_variable(name), separator, out)
}

fn join<'a>(values: impl Iterator<Item = &'a [u8]>, separator: &[u8], out: &mut Vec<u8>) -> bool {
    let mut found = false;
    for value in values {
        if found {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(value);
        found = true;
    }
    found
}

/// A field of the head as it was sent.
fn sent_field(head: &[u8], name: &str, out: &mut Vec<u8>) -> bool {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let fields = lines.filter_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    });
    join(fields.filter(|(field, _)| http1::is_variable_of(name, field)).map(|(_, value)| value), b", ", out)
}

/// The value of the first argument of that name, compared without regard to case as nginx does.
fn argument<'a>(args: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    args.split(|byte| *byte == b'&').find_map(|pair| {
        let (key, value) = pair.split_at_checked(name.len())?;
        let value = value.strip_prefix(b"=")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The value of the first cookie of that name, read as leniently as nginx does: a comma separates too, but ends no value.
fn cookie<'a>(mut fields: impl Iterator<Item = &'a [u8]>, name: &[u8]) -> Option<&'a [u8]> {
    fields.find_map(|field| {
        let mut rest = field;
        while !rest.is_empty() {
            match cookie_here(rest, name) {
                Ok(value) => return Some(value),
                Err(read) => rest = &rest[read..],
            }
            let end = rest.iter().position(|byte| matches!(byte, b';' | b',')).map_or(rest.len(), |at| at + 1);
            rest = skip_spaces(&rest[end..]);
        }
        None
    })
}

/// The value if `text` starts with the cookie; else how much was read in finding out that it does not.
fn cookie_here<'a>(text: &'a [u8], name: &[u8]) -> Result<&'a [u8], usize> {
    let (key, after) = text.split_at_checked(name.len()).ok_or(0usize)?;
    if !key.eq_ignore_ascii_case(name) {
        return Err(0);
    }
    let after = skip_spaces(after);
    let Some((b'=', value)) = after.split_first() else {
        // The byte in place of the `=` counts as read, even if it is the separator.
        return Err((text.len() - after.len() + 1).min(text.len()));
    };
    let value = skip_spaces(value);
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    Ok(&value[..end])
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

fn upstream_cookie(request: &Request, name: &str, out: &mut Vec<u8>) -> bool {
    let Some(fields) = &request.record.upstream_fields else { return false };
    bytes(out, cookie(fields.get_all("set-cookie"), name.as_bytes()))
}

/// A variable that no `set` reached yet is empty, which is said.
fn set(name: usize, request: &Request, out: &mut Vec<u8>) -> bool {
    if bytes(out, request.captures.borrow().named(name)) {
        return true;
    }
    if request.settings().uninitialized_variable_warn {
        let name = &request.generation.tables.config.own_names[name];
        request.log(Level::Warn, &format!("using uninitialized \"{name}\" variable"), None);
    }
    true
}

fn map(map: &MapTable, request: &Request, out: &mut Vec<u8>) -> bool {
    let source = evaluate(&map.source, request);
    append(map.look_up(&source, &request.captures), request, out);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_found_by_its_whole_name() {
        let args = b"xa=1&A=2&a=3&b";
        assert_eq!(argument(args, b"a"), Some(b"2".as_slice()));
        assert_eq!(argument(args, b"b"), None);
        assert_eq!(argument(b"", b"a"), None);
    }

    #[test]
    fn a_cookie_is_found_in_any_field() {
        let fields = || [b"a=1; bc=2".as_slice(), b"c = 3"].into_iter();
        assert_eq!(cookie(fields(), b"c"), Some(b"3".as_slice()));
        assert_eq!(cookie(fields(), b"b"), None);
    }
}
