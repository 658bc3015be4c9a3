//! Trees of locations, and paths through them. Not here: what a location does.

use std::fmt::Write;

use super::{Chance, make};

const SEGMENTS: &str = "/ a b ab .a x A";
const EXPRESSIONS: &str = r#"a$ ^/a b /(a|b)/ ^/(.*)b$ \.a$ ^/a/(x)? [ab]x ^/A a+b"#;

pub(super) fn case(chance: &mut Chance) -> String {
    let mut tree = Tree { chance, count: 0, text: "server:\n    root {{dir}};\n".to_owned() };
    tree.block("", 0, false);
    let sections = tree.text + "\norigin: echo\n";
    make("A tree of locations, and paths through it.", &sections, chance, |chance| {
        format!("    get /{}\n", chance.some(6, SEGMENTS))
    })
}

struct Tree<'a> {
    chance: &'a mut Chance,
    count: usize,
    text: String,
}

impl Tree<'_> {
    /// Some locations inside `outer`; inside an expression's only expressions are searched.
    fn block(&mut self, outer: &str, depth: usize, expressions_only: bool) {
        let mut known: Vec<String> = Vec::new();
        for _ in 0..3 + self.chance.below(4) {
            let by_regex = expressions_only || self.chance.once_in(3);
            let pattern = if by_regex {
                self.chance.word(EXPRESSIONS).to_owned()
            } else {
                let path = if outer.is_empty() { "/" } else { outer }.to_owned() + &self.chance.some(3, SEGMENTS);
                path.replace("//", "/").replace("//", "/")
            };
            let modifier =
                if by_regex { self.chance.pick(&["~ ", "~* "]) } else { self.chance.pick(&["", "", "= ", "^~ "]) };
            if known.contains(&pattern) {
                continue;
            }
            known.push(pattern.clone());
            self.location(modifier, &pattern, depth);
        }
    }

    fn location(&mut self, modifier: &str, pattern: &str, depth: usize) {
        self.count += 1;
        let own = format!("return 200 \"{} $1 $uri\";", self.count);
        let action = match self.chance.below(6) {
            0 => "proxy_pass http://{{origin}};",
            1 => "",
            2 => "internal;",
            _ => &own,
        };
        let _ = writeln!(self.text, "    location {modifier}{pattern} {{ {action}");
        if depth < 2 && modifier != "= " && self.chance.once_in(2) {
            self.block(pattern, depth + 1, modifier.starts_with('~'));
        }
        self.text.push_str("    }\n");
    }
}
