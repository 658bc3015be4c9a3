//! What nginx makes of a text, and that one fault stays one.

use super::*;

/// Statements as `name|word|word;` or `…{`, and `}`.
fn shown(text: &str) -> String {
    lex(text, 0, Kind::File).tokens.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn show(token: &Token) -> String {
    match token {
        Token::Close(_) => "}".into(),
        Token::Statement(statement) => {
            let words: Vec<&str> = statement.words.iter().map(|word| word.text.as_str()).collect();
            format!("{}{}", words.join("|"), if statement.block { "{" } else { ";" })
        }
    }
}

/// What is said, each with the text that it is said of.
fn said(text: &str) -> Vec<(String, &str)> {
    let faults = lex(text, 0, Kind::File).faults;
    faults.into_iter().map(|fault| (fault.message, at(text, fault.span))).collect()
}

fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

#[test]
fn words_are_parted_by_any_white_space() {
    assert_eq!(shown("a b\t c\r\n d;"), "a|b|c|d;");
    assert_eq!(shown("a{b;}c;"), "a{ b; } c;");
    assert_eq!(shown("a{}"), "a{ }");
}

#[test]
fn quotes_are_special_at_the_start_of_a_word_only() {
    assert_eq!(shown("a \"b c;{}#\" 'd \"e';"), "a|b c;{}#|d \"e;");
    assert_eq!(shown("a b\"c d'e;"), "a|b\"c|d'e;");
    assert_eq!(shown("a \"\" '';"), "a||;");
    assert_eq!(shown("\"a\" 'b'{}"), "a|b{ }");
    assert_eq!(shown("a \"b\nc\";"), "a|b\nc;");
}

#[test]
fn a_word_knows_whether_it_was_quoted_and_where_it_stands() {
    let text = "a \"b\\\"\" c;";
    let lexed = lex(text, 0, Kind::File);
    let [Token::Statement(statement)] = lexed.tokens.as_slice() else { panic!("{lexed:?}") };
    let words: Vec<_> = statement.words.iter().map(|word| (at(text, word.span), word.quoted)).collect();
    assert_eq!(words, [("a", false), ("\"b\\\"\"", true), ("c", false)]);
    assert_eq!(at(text, statement.end), ";");
}

#[test]
fn a_parenthesis_may_touch_a_closing_quote() {
    assert_eq!(shown("if ($a = \"b\"){}"), "if|($a|=|b|){ }");
}

#[test]
fn comments_start_at_the_start_of_a_word_and_end_with_the_line() {
    assert_eq!(shown("a # b; { }\n c;#d"), "a|c;");
    assert_eq!(shown("a b#c;"), "a|b#c;");
    assert_eq!(shown("# a\r\nb;"), "b;");
}

#[test]
fn braces_belong_to_words_after_a_dollar_or_within() {
    assert_eq!(shown("a ${b}c;"), "a|${b}c;");
    assert_eq!(shown("a b}c;"), "a|b}c;");
    assert_eq!(shown("a ^/{2 ;}"), "a|^/{ 2; }");
}

#[test]
fn nothing_is_wrong_with_nothing() {
    for text in ["", " \n", "# a", "#"] {
        assert_eq!((shown(text), said(text)), (String::new(), vec![]));
    }
}

#[test]
fn what_stands_alone_is_unexpected() {
    assert_eq!(said("a;; b;"), [("unexpected \";\"".into(), ";")]);
    assert_eq!(shown("a;; b;"), "a; b;");
    assert_eq!(said("{ a; } b;"), [("unexpected \"{\"".into(), "{")]);
    assert_eq!(shown("{ a; } b;"), "{ a; } b;");
}

#[test]
fn a_missing_semicolon_before_a_brace_is_one_fault() {
    assert_eq!(said("s { a b } c;"), [("unexpected \"}\"".into(), "}")]);
    assert_eq!(shown("s { a b } c;"), "s{ a|b; } c;");
}

#[test]
fn a_brace_that_touches_a_word_was_meant_as_a_brace() {
    assert_eq!(said("s { a b} }"), [("unexpected \"}\"".into(), "}")]);
    assert_eq!(shown("s { t { a b} }"), "s{ t{ a|b; } }");
    assert_eq!(shown("s { a ${b} }"), "s{ a|${b}; }");
}

#[test]
fn a_text_that_ends_in_a_statement_is_said_once() {
    let message = "unexpected end of file, expecting \";\" or \"}\"";
    for text in ["a", "a b", "a \"b", "a 'b\n c", "s { a", "a \"b\\"] {
        assert_eq!(said(text), [(message.into(), "")], "{text:?}");
    }
    let faults = lex("a", 0, Kind::CommandLine).faults;
    assert_eq!(faults[0].message, "unexpected end of parameter, expecting \";\"");
}

#[test]
fn what_touches_a_closing_quote_is_unexpected_and_stays_one_word() {
    assert_eq!(said("a \"b\"c; d;"), [("unexpected \"c\"".into(), "c")]);
    assert_eq!(shown("a 'b'c d; e;"), "a|bc|d; e;");
    assert_eq!(shown("a 'it's all right' b; c;"), "a|it's all right|b; c;");
    assert_eq!(shown("a 'b''c d' e;"), "a|bc d|e;");
    assert_eq!(said("a 'b''c d' e;").len(), 1);
    assert_eq!(said("a \"b\"é;"), [("unexpected \"é\"".into(), "é")]);
}

#[test]
fn a_quote_that_is_not_closed_ends_with_its_line() {
    let text = "a \"b;\nc \"d\";\ne f;\n";
    let faults = lex(text, 0, Kind::File).faults;
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    assert_eq!(fault.message, "unexpected \"d\"");
    let opened = fault.related.as_ref().map(|(span, _)| (at(text, *span), span.start));
    assert_eq!(opened, Some(("\"", 2)));
    assert_eq!(shown(text), "a|b; c|d; e|f;");
    assert_eq!(shown("s \"a {\nb 'c';\n}\nd \"e\";"), "s|a{ b|c; } d|e;");
    assert_eq!(shown("s { a \"b; }\nd \"e\";"), "s{ a|b; } d|e;");
}

#[test]
fn a_word_must_fit_the_buffer_with_what_ends_it() {
    let (longest, too_long) = ("a".repeat(MAX_WORD - 1), "a".repeat(MAX_WORD));
    assert_eq!(said(&format!("a {longest};")), []);
    assert_eq!(
        said(&format!("a {too_long};")),
        [("too long parameter \"aaaaaaaaaa...\" started".into(), "aaaaaaaaaa")]
    );
    assert_eq!(said(&format!("#{longest}")), [], "the file ends there, so that nothing more is read");
    assert_eq!(said(&format!("#{longest}\n"))[0].0, "too long parameter \"#aaaaaaaaa...\" started");
    assert_eq!(lex(&format!("a {too_long};"), 0, Kind::CommandLine).faults, []);
}

#[test]
fn a_quoted_word_must_fit_with_its_quote_and_one_more() {
    let quoted = |length| format!("a \"{}\"; b;", "a".repeat(length));
    assert_eq!(said(&quoted(MAX_WORD - 2)), []);
    assert_eq!(said(&quoted(MAX_WORD - 1))[0].0, "too long parameter \"aaaaaaaaaa...\" started");
    let message = "too long parameter, probably missing terminating \"\"\" character";
    assert_eq!(said(&quoted(MAX_WORD)), [(message.into(), "\"")]);
    assert_eq!(shown(&quoted(MAX_WORD)).len(), MAX_WORD + 6, "it is a word all the same");
}

#[test]
fn a_quote_that_swallows_too_much_ends_with_its_line() {
    let text = format!("a 'b;\n{}c 'd';\n", "e;\n".repeat(MAX_WORD));
    let message = "too long parameter, probably missing terminating \"'\" character";
    assert_eq!(said(&text), [(message.into(), "'")]);
    assert!(shown(&text).ends_with("e; c|d;"));
}

#[test]
fn a_block_of_lua_is_passed_over() {
    assert_eq!(shown("content_by_lua_block { if a then b = \"}\" { } end } c;"), "content_by_lua_block{ } c;");
    assert_eq!(said("rewrite_by_lua_block { ngx.say('don\\'t'); } c;"), []);
}

#[test]
fn an_expression_with_a_brace_needs_quotes() {
    let text = "location ~ ^/a{2}b{1,3}$ { c; } d;";
    assert_eq!(said(text), [("unknown directive \"2}b\"".into(), "{2}b")]);
    assert_eq!(shown(text), "location|~|^/a{2}b{1,3}${ c; } d;");
    assert_eq!(said("rewrite ^/a{2} /b;")[0].0, "directive \"rewrite\" is not terminated by \";\"");
    assert_eq!(said("~^a{2,}$ b;")[0].0, "unexpected \"{\"");
    assert_eq!(said("a{b;} c {1;}"), []);
}

#[test]
fn a_byte_order_mark_is_one_fault() {
    assert_eq!(said("\u{feff}a b; c;"), [("unknown directive \"\u{feff}a\"".into(), "\u{feff}a")]);
    assert_eq!(shown("\u{feff}a b; c;"), "a|b; c;");
}
