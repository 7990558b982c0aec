//! Tables of Markdown, and how numbers are written in them.

use std::fmt::Write as _;

use crate::contest::Times;

/// A table of Markdown.
#[derive(Clone, Debug)]
pub struct Table {
    text: String,
    columns: usize,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        let mut table = Self { text: String::new(), columns: headings.len() };
        table.row(headings);
        table.row(&vec!["---"; headings.len()]);
        table
    }

    /// Adds a row; missing cells at the end are empty.
    pub fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        assert!(cells.len() <= self.columns, "more cells than headings");
        self.text.push('|');
        for column in 0..self.columns {
            let cell = cells.get(column).map_or("", AsRef::as_ref);
            write!(self.text, " {cell} |").expect("writing to a string succeeds");
        }
        self.text.push('\n');
    }

    /// The table, with an empty line behind it.
    pub fn finish(self) -> String {
        self.text + "\n"
    }
}

/// A dash where nothing was measured.
pub const NOTHING: &str = "–";

/// A number with three significant digits or so.
pub fn number(value: f64) -> String {
    match value {
        value if value >= 1e6 => grouped((value / 1e3).round() as usize * 1000),
        value if value >= 100.0 => grouped(value.round() as usize),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A whole number with its thousands apart.
pub fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Nanoseconds of a unit: minimum and median.
pub fn ns(times: Option<Times>) -> String {
    times.map_or_else(|| NOTHING.into(), |times| format!("{} / {}", number(times.min_ns), number(times.median_ns)))
}

/// Milliseconds of `units` units: minimum and median. If the limit came before the end, then those of what was done.
pub fn ms(times: Option<Times>, units: usize) -> String {
    let Some(times) = times else { return NOTHING.into() };
    let ms = |unit_ns: f64| number(unit_ns * times.units as f64 / 1e6);
    let cell = format!("{} / {}", ms(times.min_ns), ms(times.median_ns));
    if times.units < units { format!("{cell} (first {})", grouped(times.units)) } else { cell }
}

/// How often the one fits into the other, by their minima.
pub fn ratio(longer: Option<Times>, shorter: Option<Times>) -> String {
    match (longer, shorter) {
        (Some(longer), Some(shorter)) => format!("{}×", number(longer.min_ns / shorter.min_ns)),
        _ => NOTHING.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(0.123, "0.12");
        check(12.34, "12.3");
        check(123.4, "123");
        check(12_345.6, "12,346");
        check(12_345_678.0, "12,346,000");
    }

    #[test]
    fn what_the_limit_cut_says_so() {
        let times = Some(Times { min_ns: 1e6, median_ns: 2e6, units: 3 });
        assert_eq!(ms(times, 3), "3.00 / 6.00");
        assert_eq!(ms(times, 4000), "3.00 / 6.00 (first 3)");
        assert_eq!(ms(None, 3), NOTHING);
    }

    #[test]
    fn rows_fill_up() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["1"]);
        assert_eq!(table.finish(), "| a | b |\n| --- | --- |\n| 1 |  |\n\n");
    }
}
