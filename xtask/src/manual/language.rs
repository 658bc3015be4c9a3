//! The page of the language: what a file is made of, and where reading it differs from nginx. Not here: directives.

pub(super) fn page() -> String {
    PAGE.to_owned()
}

const PAGE: &str = r#"# The language

A configuration is nginx's: this page is a summary, and the list of what is different when one is read.

## What a file is made of

- A **directive** is a name, words, and a `;` or a block in `{ }`. White space of any kind parts words; a directive may have many lines.
- A **word** ends before white space, `;` or `{`. Elsewhere in a word, `"`, `'`, `#` and `}` are letters like any other, and so is
  a `{` after a `$`. A word that starts with `"` or `'` ends at the same quote, and may hold anything, line ends too; after it
  comes white space, `;`, `{` or `)`.
- A **backslash** takes the next letter along. `\"`, `\'` and `\\` become the second letter, `\t`, `\r` and `\n` what they are in C;
  before any other letter the backslash stays, so that regular expressions need no doubling. A `$` cannot be escaped.
- A **comment** starts at a `#` where a word could start, and ends with its line.
- A **regular expression** with `{`, `}` or `;` must be quoted.
- A **size** is a number of bytes, or one with `k` or `m`; sizes of bodies and files may have `g`. A **time** is a sum such as
  `1h30m` of `w`, `d`, `h`, `m`, `s` and `ms`, the long ones first; without a unit it is in seconds. Times that count in whole seconds
  (`fail_timeout=`, `valid=`) have `y` and `M` too, and no `ms`.
- [include](directives/include.md) may stand in any block. Relative names start at the folder of the main file, wherever they are
  written; a mask (`*`, `?`, `[a-z]`) is read in the order of its names, and may fit nothing. Every file closes its own blocks.
- [Variables](variables.md) have a page of their own, and so have the [limits](limits.md).

## What is different from nginx

- Everything that is wrong is said at once, not only the first of it. `tidegate check FILE` shows each fault with its line, a mark
  under the very word, and what was probably meant; `-t` shows nginx's one-line form. A line number is that of the word at
  fault, where nginx has that of the end of its directive.
- A brace, semicolon or quote that is missing is one fault: what is behind it is read as it was probably meant.
- A file without an `http` block that holds what belongs into one (a file for `conf.d`) is read as its inside.
- A file that includes itself is refused; nginx includes until its memory or its file descriptors end.
- Where a `mime.types` is included that does not exist, a built-in one stands in.
- A folder in a mask that cannot be looked into is a warning; nginx passes over it in silence.
- An unknown variable has a place, and a section that is missing has none.
- Files are taken for UTF-8. Bytes that are not are kept: in comments, texts and paths they stay as they are, in names and
  patterns they match nothing. `tidegate check` says where the first one is.
- Control characters in messages are shown as symbols.
"#;
