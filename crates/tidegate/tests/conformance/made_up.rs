//! Cases that chance makes up, from seeds: more targets, ranges, locations and error pages than anybody writes down. What
//! nginx answers is all that is expected of them. Not here: how a case is judged.

#[path = "made_up/answers.rs"]
mod answers;
#[path = "made_up/error_pages.rs"]
mod error_pages;
#[path = "made_up/files.rs"]
mod files;
#[path = "made_up/locations.rs"]
mod locations;
#[path = "made_up/targets.rs"]
mod targets;

use libtest_mimic::{Failed, Trial};

/// Each kind with each of these; a failure names both, so it comes again.
const SEEDS: [u64; 3] = [1, 2, 3];
/// Requests of a case.
const REQUESTS: usize = 300;

type Judge = fn(&str) -> Result<(), String>;
type Kind = (&'static str, fn(&mut Chance) -> String);

const KINDS: [Kind; 5] = [
    ("answers", answers::case),
    ("error_pages", error_pages::case),
    ("files", files::case),
    ("locations", locations::case),
    ("targets", targets::case),
];

pub(crate) fn trials(judge: Judge, skipped: bool) -> Vec<Trial> {
    let all = KINDS.iter().flat_map(|kind| SEEDS.map(|seed| (*kind, seed)));
    let trial = |((name, make), seed): (Kind, u64)| {
        Trial::test(format!("made_up/{name}_{seed}"), move || {
            let text = make(&mut Chance(seed));
            judge(&text).map_err(|why| Failed::from(format!("{why}\n\nof the case:\n{text}")))
        })
    };
    all.map(|one| trial(one).with_ignored_flag(skipped)).collect()
}

/// Splitmix64: the same numbers for the same seed, for ever.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A word among those that spaces separate; `-` is none.
    fn word<'a>(&mut self, words: &'a str) -> &'a str {
        let words: Vec<&str> = words.split_whitespace().collect();
        match self.pick(&words) {
            "-" => "",
            word => word,
        }
    }

    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Up to `most` of the words, joined.
    fn some(&mut self, most: usize, words: &str) -> String {
        (0..self.below(most + 1)).map(|_| self.word(words)).collect()
    }
}

/// A case: its configuration, files and origins, and a client's steps made one by one.
fn make(title: &str, sections: &str, chance: &mut Chance, step: impl Fn(&mut Chance) -> String) -> String {
    let mut text = format!("# {title}\n\n{sections}\nclient:\n");
    for _ in 0..REQUESTS {
        text.push_str(&step(chance));
    }
    text
}
