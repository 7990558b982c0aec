//! `sim explain`.

use std::fmt::Write;

use clap::Args;
use serde::Serialize;

use super::{Exit, Surroundings, output};
use crate::{
    explain::{Kind, Topic, find, names, topics},
    scenario::diagnostic::nearest,
};

/// Columns of a page.
const COLUMNS: usize = 100;

/// Explain what has a name: what it is, what it promises and costs, how it goes wrong, and where it comes from.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// For example `or-set`, `partition.halves`, `lost_updates` or `cap`; without it, all topics are listed.
    topic: Vec<String>,

    /// Print JSON, with texts in Markdown.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

impl Explain {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        let wanted = self.topic.join(" ");
        let found = if self.topic.is_empty() { topics().iter().collect() } else { find(&wanted) };
        if found.is_empty() {
            let help = nearest(&wanted, names())
                .map_or_else(|| "`sim explain` lists what is".to_owned(), |near| format!("did you mean `{near}`?"));
            return output::refuse(&format!("nothing called `{wanted}` is explained: {help}"), Exit::Usage);
        }
        if self.json {
            return json(&found);
        }
        let page = if self.topic.is_empty() {
            listed(surroundings.color)
        } else {
            let pages: Vec<String> = found.iter().map(|topic| explained(topic, surroundings.color)).collect();
            pages.join("\n")
        };
        output::say(&page)
    }
}

fn json(found: &[&Topic]) -> Exit {
    let entry = |topic: &&Topic| Entry { name: topic.name(), kind: topic.kind.name(), text: topic.text };
    let entries: Vec<Entry> = found.iter().map(entry).collect();
    match serde_json::to_string_pretty(&entries) {
        Ok(list) => output::say(&format!("{list}\n")),
        Err(error) => output::refuse(&format!("cannot render the topics: {error}"), Exit::Internal),
    }
}

/// All topics by kind, each with its definition.
fn listed(color: bool) -> String {
    let mut page = String::new();
    for kind in Kind::ALL {
        let of_kind: Vec<&Topic> = topics().iter().filter(|topic| topic.kind == kind).collect();
        let Some(width) = of_kind.iter().map(|topic| topic.name().chars().count()).max() else { continue };
        page.push_str(if page.is_empty() { "" } else { "\n" });
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{}", styled(kind.heading(), color));
        for topic in of_kind {
            let lines = wrapped(&topic.definition(), COLUMNS - width - 4, color);
            for (at, line) in lines.iter().enumerate() {
                let name = if at == 0 { topic.name() } else { "" };
                let _ = writeln!(page, "  {name:width$}  {line}");
            }
        }
    }
    page
}

/// One topic as a page.
fn explained(topic: &Topic, color: bool) -> String {
    let mut page = format!("{} ({})\n", styled(&topic.names.join(", "), color), topic.kind.name());
    for paragraph in topic.paragraphs() {
        page.push('\n');
        for line in wrapped(&paragraph, COLUMNS, color) {
            page.push_str(&line);
            page.push('\n');
        }
    }
    page
}

/// A paragraph of Markdown as lines: stars are taken away, and what they make strong is bold with `color`.
fn wrapped(paragraph: &str, columns: usize, color: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut width, mut is_strong) = (String::new(), 0, false);
    for marked in paragraph.split_whitespace() {
        is_strong |= marked.starts_with("**");
        let word = marked.replace('*', "");
        let length = word.chars().count();
        if width > 0 && width + 1 + length > columns {
            lines.push(std::mem::take(&mut line));
            width = 0;
        }
        if width > 0 {
            line.push(' ');
            width += 1;
        }
        width += length;
        line.push_str(&styled(&word, color && is_strong));
        is_strong &= !marked.ends_with("**");
    }
    lines.push(line);
    lines
}

fn styled(text: &str, is_bold: bool) -> String {
    if is_bold { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_their_marks_taken_away() {
        let text = "**Goes wrong** in *two* ways.";
        assert_eq!(wrapped(text, 100, false), ["Goes wrong in two ways."]);
        assert_eq!(wrapped(text, 10, false), ["Goes wrong", "in two", "ways."]);
        assert_eq!(wrapped(text, 3, false).len(), 5, "a word that is too long has a line of its own");
        let bold = "\x1b[1mGoes\x1b[0m \x1b[1mwrong\x1b[0m";
        assert_eq!(wrapped(text, 10, true), [bold, "in two", "ways."], "what is not seen takes no room");
    }

    #[test]
    fn pages_keep_to_their_columns_and_have_no_marks() {
        let pages = topics().iter().map(|topic| explained(topic, false));
        for page in pages.chain([listed(false)]) {
            assert!(!page.contains(['*', '\x1b']), "{page}");
            for line in page.lines() {
                assert!(line.chars().count() <= COLUMNS, "{line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }
}
