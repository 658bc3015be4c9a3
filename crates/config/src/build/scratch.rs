//! Temporary: a bare reader of text until the parser lands.
use crate::tree::*;

pub fn parse(text: &str) -> Tree {
    let mut p = P {
        s: text.as_bytes(),
        i: 0,
    };
    let directives = p.block();
    Tree {
        files: vec![SourceFile {
            path: "test.conf".into(),
            text: text.into(),
        }],
        directives,
    }
}
struct P<'a> {
    s: &'a [u8],
    i: usize,
}
impl P<'_> {
    fn ws(&mut self) {
        while self.i < self.s.len() {
            match self.s[self.i] {
                b' ' | b'\t' | b'\n' | b'\r' => self.i += 1,
                b'#' => {
                    while self.i < self.s.len() && self.s[self.i] != b'\n' {
                        self.i += 1
                    }
                }
                _ => return,
            }
        }
    }
    fn word(&mut self) -> Word {
        let start = self.i;
        let mut text = Vec::new();
        let q = self.s[self.i];
        let quoted = q == b'"' || q == b'\'';
        if quoted {
            self.i += 1;
        }
        while self.i < self.s.len() {
            let c = self.s[self.i];
            if c == b'\\' && self.i + 1 < self.s.len() {
                let n = self.s[self.i + 1];
                if !matches!(n, b'"' | b'\'' | b'\\') {
                    text.push(c);
                }
                text.push(n);
                self.i += 2;
                continue;
            }
            if quoted {
                if c == q {
                    self.i += 1;
                    break;
                }
            } else if c == b'{' && text.last() == Some(&b'$') {
                text.push(c);
                self.i += 1;
                continue;
            } else if matches!(c, b' ' | b'\t' | b'\n' | b';' | b'{') {
                break;
            }
            text.push(c);
            self.i += 1;
        }
        Word {
            text: String::from_utf8(text).unwrap(),
            quoted,
            span: Span {
                file: 0,
                start: start as u32,
                end: self.i as u32,
            },
        }
    }
    fn block(&mut self) -> Vec<Directive> {
        let mut out = Vec::new();
        loop {
            self.ws();
            if self.i >= self.s.len() {
                return out;
            }
            if self.s[self.i] == b'}' {
                self.i += 1;
                return out;
            }
            let name = self.word();
            let mut args = Vec::new();
            let block = loop {
                self.ws();
                if self.i >= self.s.len() {
                    break None;
                }
                match self.s[self.i] {
                    b';' => {
                        self.i += 1;
                        break None;
                    }
                    b'{' => {
                        self.i += 1;
                        break Some(self.block());
                    }
                    _ => args.push(self.word()),
                }
            };
            let span = Span {
                file: 0,
                start: name.span.start,
                end: self.i as u32,
            };
            out.push(Directive {
                name,
                args,
                block,
                span,
            });
        }
    }
}

#[test]
fn scratch() {
    let path = std::env::var("CONF").unwrap_or("/tmp/t.conf".into());
    let text = std::fs::read_to_string(path).unwrap();
    let loaded = super::meaning_of(
        parse(&text),
        vec![],
        &super::Options {
            prefix: "/etc/nginx".into(),
            ..Default::default()
        },
    );
    for d in &loaded.diagnostics {
        let line = text[..d.span.start as usize].matches('\n').count() + 1;
        println!(
            "{:?} {line}: {} [{}] -- {}",
            d.severity,
            d.message,
            &text[d.span.start as usize..d.span.end as usize],
            d.help.as_deref().unwrap_or("")
        );
    }
    if std::env::var("SHOW").is_ok() {
        println!("{:#?}", loaded.config);
    }
    println!("ok = {}", loaded.config.is_some());
}
