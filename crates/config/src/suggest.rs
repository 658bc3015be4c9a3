//! "Did you mean": the known word nearest to a mistyped one. Not here: which words are known.

/// A longer word is not compared: nothing known is nearly as long.
const MAX_TYPED: usize = 64;

/// The nearest word, if it is near enough to be what was meant: a third of its letters may differ. The first of equals.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let typed: Vec<char> = typed.chars().collect();
    let near = known.into_iter().filter_map(|word| {
        let most = word.len().div_ceil(3);
        Some((distance(&typed, word, most)?, word))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// Letters to add, remove, change, or swap with their neighbour, row by row (optimal string alignment), if they are no
/// more than `most`.
fn distance(from: &[char], to: &str, most: usize) -> Option<usize> {
    if from.len().abs_diff(to.chars().count()) > most {
        return None;
    }
    let to: Vec<char> = to.chars().collect();
    let mut above_that: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.iter().enumerate() {
        let mut row = vec![index + 1];
        for (place, other) in to.iter().enumerate() {
            let mut least = cell(&above, place) + usize::from(letter != other);
            least = least.min(cell(&above, place + 1) + 1).min(cell(&row, place) + 1);
            let swapped =
                index > 0 && place > 0 && from.get(index - 1) == Some(other) && to.get(place - 1) == Some(letter);
            if swapped {
                least = least.min(cell(&above_that, place - 1) + 1);
            }
            row.push(least);
        }
        above_that = std::mem::replace(&mut above, row);
        // A swap reaches back two rows, at the cost of one.
        if above.iter().chain(&above_that).min().is_some_and(|least| *least > most) {
            return None;
        }
    }
    above.last().copied().filter(|distance| *distance <= most)
}

fn cell(row: &[usize], place: usize) -> usize {
    row.get(place).copied().unwrap_or(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [&str; 4] = ["check", "proxy", "demo", "help"];

    #[test]
    fn finds_a_mistyped_word() {
        assert_eq!(nearest("chek", COMMANDS), Some("check"));
        assert_eq!(nearest("porxy", COMMANDS), Some("proxy"));
        assert_eq!(nearest("dmo", COMMANDS), Some("demo"));
    }

    #[test]
    fn the_nearest_of_several_wins_and_the_first_of_equals() {
        assert_eq!(nearest("proxy_pas", ["proxy_bind", "proxy_pass", "proxy_pas2"]), Some("proxy_pass"));
    }

    #[test]
    fn stays_silent_about_what_is_far() {
        assert_eq!(nearest("nginx.conf", COMMANDS), None);
        assert_eq!(nearest("x", COMMANDS), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(nearest(&"x".repeat(100_000), COMMANDS), None);
    }

    #[test]
    fn counts_edits_and_a_swap_as_one() {
        let distance = |from: &str, to: &str, most| distance(&from.chars().collect::<Vec<_>>(), to, most);
        assert_eq!(distance("", "abc", 3), Some(3));
        assert_eq!(distance("abc", "", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
        assert_eq!(distance("abcd", "acbd", 1), Some(1));
        assert_eq!(distance("ab", "ba", 1), Some(1));
    }
}
