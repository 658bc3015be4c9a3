//! The names that people use: each is supported, or said to be nginx's and not supported yet, or said to be another
//! module's. None is unknown. Not here: what they do.

use config::directives::{rows_of, unsupported};
use config::variables;

/// The words of a fixture without its comments.
fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

/// Module and name of every directive of the fixture.
fn directives() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("known/directives.txt").lines().filter(|line| !line.starts_with('#'));
    let modules = lines.filter_map(|line| line.split_once(": "));
    modules.flat_map(|(module, names)| names.split(' ').map(move |name| (module, name))).collect()
}

#[test]
fn every_directive_of_nginx_is_supported_or_named_with_its_module() {
    let directives = directives();
    assert!(directives.len() > 200, "{}", directives.len());
    for (module, name) in directives {
        let supported = rows_of(name).next().is_some();
        let named = unsupported(name).filter(|known| known.nginx).map(|known| known.module);
        assert!(supported || named == Some(module), "{name} of {module}: {named:?}");
    }
}

#[test]
fn a_file_that_uses_them_is_never_told_that_they_are_unknown() {
    for (_, name) in directives() {
        for context in ["", "http", "http { server", "http { server { location /"] {
            let open = if context.is_empty() { String::new() } else { format!("{context} {{ ") };
            let text = format!("events {{ }} {open}{name} x; {}", "}".repeat(open.matches('{').count()));
            let loaded = config::load_text(&text);
            let unknown = loaded.diagnostics.iter().find(|said| said.message.starts_with("unknown directive"));
            assert_eq!(unknown, None, "{text}");
        }
    }
}

#[test]
fn every_foreign_directive_is_named_with_its_module() {
    for name in words(include_str!("known/foreign_directives.txt")) {
        assert!(unsupported(name).is_some_and(|known| !known.nginx), "{name}");
    }
}

#[test]
fn every_variable_of_nginx_is_supported_or_named_with_its_module() {
    let names: Vec<_> = words(include_str!("known/variables.txt")).collect();
    assert!(names.len() > 60, "{}", names.len());
    for name in names.into_iter().filter(|name| name.parse::<u8>().is_err()) {
        assert!(variables::find(name).is_some() || variables::unsupported(name).is_some(), "${name}");
    }
}
