//! Words that a fault in the text has spoilt: what else is wrong with their directive is probably only its consequence.
//! Not here: the faults.

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{Directive, Span, Tree};

/// Leaves out what was said of the words of directives in which a fault of the text lies.
pub(crate) fn leave_out_spoilt(said: &mut Vec<Diagnostic>, faults: &[Diagnostic], tree: &Tree) {
    let faults: Vec<Span> = faults.iter().filter(|fault| fault.severity == Severity::Error).map(place).collect();
    if faults.is_empty() {
        return;
    }
    let mut spoilt = Vec::new();
    collect(&tree.directives, &faults, &mut spoilt);
    said.retain(|said| !spoilt.iter().any(|words| holds(*words, said.span)));
}

/// Where a fault is: at the quote that is not closed, and not where that was noticed.
fn place(fault: &Diagnostic) -> Span {
    fault.related.as_ref().map_or(fault.span, |(span, _)| *span)
}

/// The words of directives in which faults lie.
fn collect(directives: &[Directive], faults: &[Span], spoilt: &mut Vec<Span>) {
    for directive in directives {
        let last = directive.args.last().unwrap_or(&directive.name).span;
        let words = Span { end: last.end, ..directive.name.span };
        if faults.iter().any(|fault| holds(words, *fault)) {
            spoilt.push(words);
        }
        collect(directive.block.as_deref().unwrap_or_default(), faults, spoilt);
    }
}

/// Whether a place is in these words, or right behind them, where a `;` may be missing.
fn holds(words: Span, place: Span) -> bool {
    words.file == place.file && (words.start..=words.end).contains(&place.start)
}

#[cfg(test)]
mod tests {
    use crate::build::testing::{errors, in_server};

    #[test]
    fn a_fault_in_the_text_of_a_directive_is_all_that_is_said_of_it() {
        assert_eq!(errors(&in_server("return 200 'a'b c d;")), ["unexpected \"b\""]);
        assert_eq!(errors(&in_server("location / { try_files }")), ["unexpected \"}\""]);
        assert_eq!(errors(&in_server("root \"/$c;\nindex \"b\";\n")), ["unexpected \"b\""]);
    }

    #[test]
    fn what_is_wrong_with_others_is_said() {
        let said = in_server("location 'a'b { nonsense1; } nonsense2;");
        assert_eq!(
            errors(&said),
            ["unexpected \"b\"", "unknown directive \"nonsense1\"", "unknown directive \"nonsense2\""]
        );
    }
}
