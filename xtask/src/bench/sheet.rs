//! A titled table of words, as text for a terminal or as Markdown. It knows nothing of what the
//! words mean.

/// A table. The first column is left-aligned, the others right-aligned.
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) header: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn text(&self) -> String {
        let widths = self.widths();
        let mut text = format!("\n{}\n", self.title);
        for row in self.lines() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width - cell.chars().count());
                text += &if column == 0 { format!("  {cell}{padding}") } else { format!("   {padding}{cell}") };
            }
            text.push('\n');
        }
        text
    }

    pub(crate) fn markdown(&self) -> String {
        let mut lines = self.lines();
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let header = lines.next().unwrap_or_default();
        let rule = (0..header.len()).map(|column| if column == 0 { "---" } else { "---:" }).collect();
        format!("\n### {}\n\n{}{}", self.title, line(header), line(rule)) + &lines.map(line).collect::<String>()
    }

    /// The header and the rows.
    fn lines(&self) -> impl Iterator<Item = Vec<&str>> {
        let rows = self.rows.iter().map(|row| row.iter().map(String::as_str).collect());
        [self.header.clone()].into_iter().chain(rows)
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.header.len()];
        for row in self.lines() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let rows = vec![vec!["a".into(), "1".into()], vec!["long".into(), "10 µs".into()]];
        Sheet { title: "Title".into(), header: vec!["who", "cpu"], rows }
    }

    #[test]
    fn text_aligns_its_columns_by_characters() {
        assert_eq!(sheet().text(), "\nTitle\n  who      cpu\n  a          1\n  long   10 µs\n");
    }

    #[test]
    fn markdown_has_a_rule_below_the_header() {
        let expected = "\n### Title\n\n| who | cpu |\n| --- | ---: |\n| a | 1 |\n| long | 10 µs |\n";
        assert_eq!(sheet().markdown(), expected);
    }
}
