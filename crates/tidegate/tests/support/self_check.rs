//! Checks of the harness itself: that it reads what is written, and that it can see what it is there to see.

use libtest_mimic::{Failed, Trial};

use crate::support::bytes::{fits, read_quoted, show};
use crate::support::case_format::read_case;
use crate::support::failures::{split_failures, unnamed};
use crate::support::logs::follow_lengths;
use crate::support::message::{End, Message, unchunk};
use crate::support::place::Place;
use crate::support::transcript::Seen;

type Outcome = Result<(), Failed>;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        check("quoted_bytes_are_read_as_written", quoted_bytes_are_read_as_written),
        check("dots_stand_for_anything", dots_stand_for_anything),
        check("a_fault_of_a_case_names_its_line", a_fault_of_a_case_names_its_line),
        check("chunks_are_joined_and_bad_ones_seen", chunks_are_joined_and_bad_ones_seen),
        check("addresses_become_names_again", addresses_become_names_again),
        check("only_what_is_documented_is_taken_off_a_line", only_what_is_documented_is_taken_off_a_line),
        check("names_of_servers_do_not_count_as_length", names_of_servers_do_not_count_as_length),
        check("a_failed_expectation_is_seen", a_failed_expectation_is_seen),
    ]
}

/// A check as a test of its own.
pub(crate) fn check(name: &str, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(format!("harness/{name}"), run)
}

/// Fails with both values unless they are equal.
pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Outcome {
    if seen == expected { Ok(()) } else { Err(Failed::from(format!("expected {expected:?}, got {seen:?}"))) }
}

fn quoted_bytes_are_read_as_written() -> Outcome {
    equal(read_quoted(r#""a\r\n" 2 * "\x00\"" "é""#), Ok(b"a\r\n\0\"\0\"\xc3\xa9".to_vec()))?;
    equal(read_quoted(r#""\q""#).is_err(), true)?;
    equal(read_quoted(r#""open"#).is_err(), true)?;
    equal(show(b"a\r\n\xff"), "a\\r\n\\xff".to_owned())
}

fn dots_stand_for_anything() -> Outcome {
    equal(fits("a...c", "abc") && fits("...", "") && fits("a...", "a") && fits("...b...d", "abcd"), true)?;
    equal(fits("a...c", "abd") || fits("a", "ab") || fits("", "a") || fits("ab...ba", "aba"), false)
}

fn a_fault_of_a_case_names_its_line() -> Outcome {
    let line = |text: &str| read_case(text).err().map(|why| why.split(':').next().unwrap_or_default().to_owned());
    let told = |line: &str| Some(line.to_owned());
    equal(line("# t\nserver:\n    return 200;\nclient:\n    dance\n"), told("line 5"))?;
    equal(line("# t\nserver:\n    return 200;\nbogus:\n    x\n"), told("line 4"))?;
    equal(line("server:\n    return 200;\nclient:\n    get /\n"), told("line 1"))?;
    equal(line("# t\nserver:\n    return 200;\nclient:\n    get /\n"), None)
}

fn only_what_is_documented_is_taken_off_a_line() -> Outcome {
    let line = "[error] x while connecting to upstream, host: \"a\"";
    let advice = policy::Failure::new(policy::Cause::ConnectRefused).advice();
    for addition in ["", "; 2 attempts"] {
        let failure = format!("TG-2001 connect_refused{addition}");
        for whole in
            [format!("{line}, failure: \"{failure}\""), format!("{line}, failure: \"{failure}\", advice: \"{advice}\"")]
        {
            equal(split_failures(vec![whole.clone()]), (vec![line.to_owned()], vec![failure.clone()]))?;
            equal(unnamed(&[whole]), Vec::new())?;
        }
    }
    for wrong in [
        "failure: \"TG-2001 loop\"",
        "failure: \"TG-0001 connect_refused\"",
        "failure: \"connect_refused\"",
        "failure: \"TG-2001 connect_refused\", advice: \"Do nothing.\"",
        "failure: \"TG-2001 connect_refused\", more: \"x\"",
    ] {
        let whole = format!("{line}, {wrong}");
        equal(split_failures(vec![whole.clone()]), (vec![whole.clone()], Vec::new()))?;
        equal(unnamed(std::slice::from_ref(&whole)), vec![whole])?;
    }
    equal(unnamed(&[line.to_owned()]).len(), 1)
}

fn chunks_are_joined_and_bad_ones_seen() -> Outcome {
    let trailers = vec![("T".to_owned(), "1".to_owned())];
    equal(unchunk(b"2;x\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\nrest"), Ok(Some((b"abc".to_vec(), trailers, 26))))?;
    equal(unchunk(b"2\r\nab\r\n"), Ok(None))?;
    equal(unchunk(b"2\r\nabc\r\n"), Err(Vec::from(b"ab")))?;
    equal(unchunk(b"2\r\nab\r\nzz\r\n"), Err(Vec::from(b"ab")))
}

fn addresses_become_names_again() -> Outcome {
    let place = Place::new("{{listen}} {{listen2}}").map_err(Failed::from)?;
    let text = "to {{listen}} or {{listen2}}, port {{listen port}}, in {{dir}}";
    let filled = place.fill(text).map_err(Failed::from)?;
    equal(filled.contains("{{"), false)?;
    equal(place.unfill(&filled), text.to_owned())?;
    let longer = format!("1{}", place.value("listen port"));
    equal(place.unfill(&longer), longer)?;
    equal(place.fill("{{nobody}}").is_err(), true)
}

fn names_of_servers_do_not_count_as_length() -> Outcome {
    let place = Place::new("").map_err(Failed::from)?;
    let seen = |name: &str| {
        let body = format!("<hr><center>{name}</center>").into_bytes();
        let fields = vec![("Content-Length".to_owned(), body.len().to_string())];
        Seen::new(&Message { start: "HTTP/1.1 404 Not Found".to_owned(), fields, body, ..Message::default() }, &place)
    };
    let (nginx, tidegate) = (seen("nginx/1.22.1"), seen("tidegate/0.1.0"));
    equal(&nginx.body, &tidegate.body)?;
    equal(&nginx.fields, &tidegate.fields)?;
    equal(follow_lengths("127.0.0.1 404 33 1.33", &[nginx]), follow_lengths("127.0.0.1 404 35 1.33", &[tidegate]))
}

fn a_failed_expectation_is_seen() -> Outcome {
    let message = Message { start: "HTTP/1.1 200 OK".to_owned(), end: End::Cut, ..Message::default() };
    let text = "# t\nserver:\n    return 200;\nclient:\n    expect 404|502\n    expect complete\n    expect field A: b\n    expect body \"x\"\n    expect 200\n";
    let case = read_case(text).map_err(Failed::from)?;
    let holds = case.client.iter().map(|step| match &step.act {
        crate::support::case::Act::Expect(expect) => message.check(expect).is_ok(),
        _ => false,
    });
    equal(holds.collect::<Vec<_>>(), vec![false, false, false, false, true])
}
