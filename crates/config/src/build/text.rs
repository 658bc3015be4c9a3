//! Words as templates and expressions, with what this configuration's own variables are. Not here: their syntax (`text`),
//! and nginx's variables.

use fancy_regex::{BytesMode, RegexBuilder};

use super::Build;
use crate::diagnostic::Diagnostic;
use crate::model::{BACKTRACK_LIMIT, Capture, Part, Regex, SetVariable, Template, Variable};
use crate::suggest::nearest;
use crate::text::bytes::written;
use crate::text::template::{Piece, pieces};
use crate::tree::Span;
use crate::variables::{self, lower};

impl Build<'_> {
    /// A text as a template; says what is wrong with its variables.
    pub(crate) fn template(&mut self, text: &str, span: Span) -> Template {
        let mut parts = Vec::new();
        // A word's text may be its end alone, or have more in front: its dollars are counted from the end.
        let mut dollars = text.matches('$').count();
        for piece in pieces(text) {
            dollars -= usize::from(!matches!(piece, Ok(Piece::Text(_))));
            match piece {
                Ok(Piece::Text(text)) => parts.push(Part::Text(written(text).into())),
                Ok(Piece::Capture(number)) => parts.push(Part::Variable(Variable::Capture(Capture::Number(number)))),
                Ok(Piece::Variable(name)) => match self.variable(name) {
                    Some(variable) => {
                        self.reads_heads |= variable.is_of_a_head();
                        parts.push(Part::Variable(variable));
                    }
                    None => self.unknown_variable(name, self.dollar(span, dollars)),
                },
                Err(fault) => self.error(self.dollar(span, dollars), fault.message()),
            }
        }
        Template { source: text.into(), parts }
    }

    /// A variable: one that this configuration defines, or one of nginx's.
    fn variable(&self, name: &str) -> Option<Variable> {
        let name = lower(name);
        let map = self.names.maps.get(&*name).map(|&place| Variable::Map(place));
        let own = || {
            let place = self.names.place(&name)?;
            let captured = self.names.captured.contains(&*name);
            Some(if captured { Variable::Capture(Capture::Named(place)) } else { Variable::Set(place) })
        };
        // The file is refused already for what would define it: any variable does.
        let unsupported = || self.names.unsupported.contains(&*name).then_some(Variable::Uri);
        map.or_else(own).or_else(|| variables::find(&name)).or_else(unsupported)
    }

    /// What `set` sets by this name; nothing where the name is taken.
    pub(crate) fn settable(&self, name: &str) -> Option<SetVariable> {
        let name = lower(name);
        if self.names.maps.contains_key(&*name) {
            return None;
        }
        match variables::find(&name) {
            Some(Variable::Args) => Some(SetVariable::Args),
            // A name of a family is the file's own where it says so, and so is one that nginx does not have.
            Some(variable) if !variables::in_family(&name) && !variable.is_own() => None,
            _ => self.names.place(&name).map(SetVariable::Own),
        }
    }

    /// Says that nothing knows a variable, or that only nginx does.
    pub(crate) fn unknown_variable(&mut self, name: &str, place: Span) {
        let fault = match variables::unsupported(name) {
            Some(module) => {
                Diagnostic::error(place, format!("variable \"${name}\" of nginx's {module} is not supported yet"))
            }
            None => {
                let fault = Diagnostic::error(place, format!("unknown \"{name}\" variable"));
                match self.variable_meant(name) {
                    Some(meant) => fault.help(format!("did you mean \"${meant}\"?")),
                    None => fault,
                }
            }
        };
        self.push(fault);
    }

    fn variable_meant(&self, name: &str) -> Option<String> {
        let name = lower(name);
        let own = self.names.maps.keys().chain(&self.names.own).map(|name| &**name);
        nearest(&name, own.chain(variables::ROWS.iter().map(|row| row.name))).map(str::to_owned)
    }

    /// An expression compiled; says what is wrong with it.
    pub(crate) fn regex(&mut self, expression: &str, caseless: bool, span: Span) -> Option<Regex> {
        let compiled = RegexBuilder::new(expression)
            .case_insensitive(caseless)
            .bytes_mode(BytesMode::Ascii)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build();
        match compiled {
            Ok(compiled) => {
                let place = |name: Option<&str>| name.and_then(|name| self.names.place(&lower(name)));
                let names = compiled.capture_names().map(place).collect();
                Some(Regex::new(expression, compiled, names))
            }
            Err(fault) => {
                self.error(span, format!("invalid regular expression: {fault}"));
                None
            }
        }
    }

    /// The variable that is written at one of a word's dollars, of which so many more follow; all of the word if it has
    /// none there.
    fn dollar(&self, word: Span, more: usize) -> Span {
        let source = self.tree.source(word).unwrap_or_default();
        let Some((start, _)) = source.rmatch_indices('$').nth(more) else { return word };
        let length = variable_length(source.get(start..).unwrap_or_default());
        let place = |offset: usize| word.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        Span { start: place(start), end: place(start + length), ..word }
    }
}

/// The bytes of `$name`, `${name}`, `${name` or `$1` at the start of a text.
fn variable_length(text: &str) -> usize {
    let rest = text.get(1..).unwrap_or_default();
    if rest.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return 2;
    }
    let inside = rest.strip_prefix('{').unwrap_or(rest);
    let after = inside.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let braced = inside.len() < rest.len() && after.starts_with('}');
    text.len() - after.len() + usize::from(braced)
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{config, errors, in_http, in_server};
    use crate::model::{Part, Return};

    #[test]
    fn names_of_variables_have_no_case() {
        let loaded = in_http(
            "map $URI $My_Map { /a $Host; } server { server_name ~^(?<Who>.)$; return 200 $my_map$who$HOST$1; }",
        );
        assert_eq!(errors(&loaded), [""; 0]);
    }

    #[test]
    fn the_span_of_a_fault_is_the_variable() {
        for (word, part) in [
            ("\"a $uri$ur\"", "$ur"),
            ("x${nonsense}y", "${nonsense}"),
            ("\"\\t${hos t\"", "${hos"),
            ("a$", "$"),
            ("$uri$", "$"),
            ("\"$uri ${\"", "${"),
            ("$uri$nothing$uri", "$nothing"),
            ("$nothing", "$nothing"),
        ] {
            let loaded = in_server(&format!("return 200 {word};"));
            let said = &loaded.diagnostics[0];
            assert_eq!(loaded.tree.source(said.span), Some(part), "{word}: {}", said.message);
        }
    }

    #[test]
    fn a_mistyped_variable_gets_a_hint() {
        let help = |lines: &str| in_http(lines).diagnostics[0].help.clone();
        assert_eq!(help("server { return 200 $remote_adr; }").as_deref(), Some("did you mean \"$remote_addr\"?"));
        assert_eq!(
            help("map $uri $connection_upgrade { } server { return 200 $connection_upgrad; }").as_deref(),
            Some("did you mean \"$connection_upgrade\"?")
        );
        assert_eq!(help("server { return 200 $what; }"), None);
    }

    #[test]
    fn a_variable_of_another_module_is_named() {
        let loaded = in_server("return 200 $ssl_protocol;");
        assert_eq!(errors(&loaded), ["variable \"$ssl_protocol\" of nginx's ngx_http_ssl_module is not supported yet"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_as_they_are() {
        let text = b"events {} http { server { return 200 \"caf\xe9\"; } }";
        let loaded = crate::build::load::load_bytes(text);
        let server = config(loaded).servers.remove(0);
        let Some(Return::Text(200, body)) = server.root.answer else { panic!("no text") };
        assert_eq!(body.parts, [Part::Text(b"caf\xe9".as_slice().into())]);
    }
}
