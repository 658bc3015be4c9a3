//! "Did you mean": the known word nearest to a mistyped one. Not here: directives, which `config` suggests itself.

/// The nearest word, if it is near enough to be what was meant: a third of its letters may differ.
pub(super) fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let measured = known.iter().map(|word| (distance(typed, word), *word));
    let (distance, word) = measured.min_by_key(|(distance, _)| *distance)?;
    (distance <= word.len().div_ceil(3)).then_some(word)
}

/// Letters to add, remove, or change (Levenshtein), row by row.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut next = vec![index + 1];
        for ((other, above), above_left) in to.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            let changed = above_left + usize::from(letter != *other);
            next.push(changed.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_mistyped_word() {
        let known = ["check", "proxy", "demo", "help"];
        assert_eq!(nearest("chek", &known), Some("check"));
        assert_eq!(nearest("porxy", &known), Some("proxy"));
        assert_eq!(nearest("dmo", &known), Some("demo"));
    }

    #[test]
    fn stays_silent_about_what_is_far() {
        assert_eq!(nearest("nginx.conf", &["check", "proxy"]), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
