//! Errors of a scenario: what is wrong, where, and what would be right.
//!
//! Everything that is wrong with a file is collected and shown on one page. A [`Diagnostic`] points into one text that
//! consists of the file followed by the overrides of the command line ([`Sources`]), so that an error in an overridden
//! value points at the override.
//!
//! ```
//! let errors = sim::scenario::parse("x.toml", "nodes = 3", &[]).expect_err("a stray key");
//! assert!(errors.to_string().contains("x.toml:1:1"));
//! ```
//!
//! Warnings do not exist here: a scenario is either meaningful or refused.

use std::{fmt, ops::Range, sync::Arc};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceSpan};

/// A text with the name under which errors show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// A path, or `--set`.
    pub name: String,
    /// The content.
    pub text: String,
}

/// The file and the overrides, laid end to end in one range of positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    parts: Vec<(usize, Source)>,
}

impl Sources {
    /// Appends a text and returns the position at which it starts.
    pub fn add(&mut self, source: Source) -> usize {
        // The gap of one keeps "the end of this text" and "the start of the next" apart.
        let start = self.parts.last().map_or(0, |(start, last)| start + last.text.len() + 1);
        self.parts.push((start, source));
        start
    }

    /// The text that holds a position, and where it starts.
    fn find(&self, position: usize) -> Option<(usize, &Source)> {
        let after = self.parts.partition_point(|(start, _)| *start <= position);
        self.parts.get(after.checked_sub(1)?).map(|(start, source)| (*start, source))
    }
}

/// A place in the sources, with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Range<usize>,
    /// The remark under the caret.
    pub text: String,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name of the kind of error, for example `scenario::unknown-name`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; the first place is the one that is to be changed.
    pub labels: Vec<Label>,
    /// What would be right.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All errors of a scenario; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    sources: Arc<Sources>,
    list: Vec<Diagnostic>,
}

/// An error as other programs read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The stable name of the kind of error.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The places, the decisive one first.
    pub places: Vec<Place>,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The name of the text.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The remark.
    pub label: String,
}

impl Errors {
    /// Errors in the order in which they are to be shown.
    pub fn new(sources: Sources, list: Vec<Diagnostic>) -> Self {
        Self { sources: Arc::new(sources), list }
    }

    /// The single errors.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The page that a person reads.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false).with_context_lines(1);
        let mut page = String::new();
        for diagnostic in &self.list {
            let report = Report::new(diagnostic, &self.sources);
            if handler.render_report(&mut page, &report).is_err() {
                // A place that the renderer refuses is a lesser evil than an error without its message.
                page.push_str(&diagnostic.message);
            }
            page.push('\n');
        }
        let count = self.list.len();
        page + &format!("{count} error{}", if count == 1 { "" } else { "s" })
    }

    /// The list that other programs read.
    pub fn findings(&self) -> Vec<Finding> {
        let place = |label: &Label| {
            let (start, source) = self.sources.find(label.span.start)?;
            let before = source.text.get(..label.span.start - start)?;
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            Some(Place {
                file: source.name.clone(),
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
                label: label.text.clone(),
            })
        };
        let finding = |diagnostic: &Diagnostic| Finding {
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            places: diagnostic.labels.iter().filter_map(place).collect(),
            help: diagnostic.help.clone(),
        };
        self.list.iter().map(finding).collect()
    }
}

impl fmt::Display for Errors {
    /// The page without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Errors {}

/// One error in the form that the renderer takes.
#[derive(Debug)]
struct Report {
    diagnostic: Diagnostic,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl Report {
    fn new(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let mut diagnostic = diagnostic.clone();
        let home = diagnostic.labels.first().and_then(|label| sources.find(label.span.start));
        let mut labels = Vec::new();
        let mut elsewhere = Vec::new();
        for label in &diagnostic.labels {
            match (home, sources.find(label.span.start)) {
                (Some((start, source)), Some((other, _))) if other == start => {
                    let end = source.text.len();
                    let (from, to) = ((label.span.start - start).min(end), (label.span.end - start).min(end));
                    let marked = source.text.get(from..to).unwrap_or_default();
                    // A whole table is shown by its first line.
                    let span = SourceSpan::from((from, marked.find('\n').unwrap_or(marked.len())));
                    // The first one is what the page is about: its place stands in the heading.
                    let mark =
                        if labels.is_empty() { LabeledSpan::new_primary_with_span } else { LabeledSpan::new_with_span };
                    labels.push(mark(Some(label.text.clone()), span));
                }
                (_, Some((_, source))) => elsewhere.push(format!("{}: {}", source.name, label.text)),
                (_, None) => {}
            }
        }
        if !elsewhere.is_empty() {
            let advice = diagnostic.help.take().into_iter().chain(elsewhere).collect::<Vec<_>>();
            diagnostic.help = Some(advice.join("\n"));
        }
        let source = home.map(|(_, source)| NamedSource::new(&source.name, source.text.clone()));
        Self { diagnostic, source, labels }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// The name nearest to `name`, if one is near enough to be what was meant.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase());
    let is_near = |candidate: &str, apart: usize| {
        let length = name.chars().count().max(candidate.chars().count());
        apart * 5 <= length * 2 || (apart == 1 && length > 1) || (name.len() > 2 && candidate.starts_with(name))
    };
    let candidates = names.into_iter().map(|candidate| (candidate, distance(candidate)));
    let near = candidates.filter(|(candidate, apart)| is_near(candidate, *apart));
    near.min_by_key(|(_, apart)| *apart).map(|(candidate, _)| candidate)
}

/// Advice for a name that does not exist: the nearest one, or all of them.
pub fn suggestion<'a>(name: &str, what: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(name, names.clone()) {
        return format!("did you mean `{near}`?");
    }
    let list = names.into_iter().take(24).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    if list.is_empty() { format!("there are no {what}") } else { format!("the {what} are {}", list.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> (Sources, usize) {
        let mut sources = Sources::default();
        sources.add(Source { name: "a.toml".to_owned(), text: "x = 1\nlos = 2\n".to_owned() });
        let start = sources.add(Source { name: "--set".to_owned(), text: "y=3".to_owned() });
        (sources, start)
    }

    #[test]
    fn a_page_shows_file_line_caret_and_help() {
        let (sources, start) = sources();
        let first = Diagnostic::new("scenario::unknown-key", "unknown key `los`")
            .at(6..9, "this one")
            .help("did you mean `loss`?");
        let second = Diagnostic::new("scenario::value", "3 is too many")
            .at(start + 2..start + 3, "here")
            .at(0..1, "against this");
        let errors = Errors::new(sources, vec![first, second]);
        insta::assert_snapshot!(errors.render(false), @r#"
        scenario::unknown-key

          × unknown key `los`
           ╭─[a.toml:2:1]
         1 │ x = 1
         2 │ los = 2
           · ─┬─
           ·  ╰── this one
           ╰────
          help: did you mean `loss`?

        scenario::value

          × 3 is too many
           ╭─[--set:1:3]
         1 │ y=3
           ·   ┬
           ·   ╰── here
           ╰────
          help: a.toml: against this

        2 errors
        "#);
        assert_eq!(errors.findings()[0].places[0].line, 2);
        assert_eq!(errors.findings()[1].places[0].file, "--set");
    }

    #[test]
    fn places_beyond_the_text_do_not_panic() {
        let (sources, _) = sources();
        let errors = Errors::new(sources, vec![Diagnostic::new("scenario::value", "odd").at(1000..2000, "where?")]);
        assert!(errors.render(false).contains("odd"));
        assert!(errors.findings()[0].places.is_empty());
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["latency", "loss", "duplicate"];
        assert_eq!(nearest("los", names), Some("loss"));
        assert_eq!(nearest("Latncy", names), Some("latency"));
        assert_eq!(nearest("dup", names), Some("duplicate"));
        assert_eq!(nearest("bandwidth", names), None);
        assert_eq!(suggestion("zzz", "keys", names), "the keys are `latency`, `loss`, `duplicate`");
        assert_eq!(suggestion("zzz", "keys", []), "there are no keys");
    }
}
