//! Words that a fault in the text has spoilt: what else is wrong with their directive is probably only its consequence.
//! Not here: the faults.

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::{Directive, Tree};

/// Leaves out what was said of the words of directives in which a fault of the text lies.
pub(crate) fn leave_out_spoilt(said: &mut Vec<Diagnostic>, faults: &[Diagnostic], tree: &Tree) {
    let mut faults: Vec<Place> = faults.iter().filter(|fault| fault.severity == Severity::Error).map(place).collect();
    if faults.is_empty() {
        return;
    }
    faults.sort_unstable();
    let mut spoilt = Vec::new();
    collect(&tree.directives, &faults, &mut spoilt);
    spoilt.sort_unstable();
    said.retain(|said| !is_in(&spoilt, (said.span.file, said.span.start)));
}

/// A file and a byte of it.
type Place = (u32, u32);

/// Where a fault is: at the quote that is not closed, and not where that was noticed.
fn place(fault: &Diagnostic) -> Place {
    let span = fault.related.as_ref().map_or(fault.span, |(span, _)| *span);
    (span.file, span.start)
}

/// The words of directives in which faults lie, or right behind which, where a `;` may be missing.
fn collect(directives: &[Directive], faults: &[Place], spoilt: &mut Vec<(Place, u32)>) {
    for directive in directives {
        let (start, file) = (directive.name.span.start, directive.name.span.file);
        let end = directive.args.last().unwrap_or(&directive.name).span.end;
        let next = faults.get(faults.partition_point(|fault| *fault < (file, start)));
        if next.is_some_and(|fault| *fault <= (file, end)) {
            spoilt.push(((file, start), end));
        }
        collect(directive.block.as_deref().unwrap_or_default(), faults, spoilt);
    }
}

/// Whether a place is in one of these words. They do not overlap.
fn is_in(spoilt: &[(Place, u32)], place: Place) -> bool {
    let behind = spoilt.partition_point(|(start, _)| *start <= place);
    let before = behind.checked_sub(1).and_then(|last| spoilt.get(last));
    before.is_some_and(|((file, _), end)| place <= (*file, *end))
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
