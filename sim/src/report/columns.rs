//! Text in columns of a terminal.
//!
//! Invariant: what comes out has no control characters, so that a name in a scenario file cannot move the cursor or forge a
//! line.
//!
//! Widths are those of common terminals: two columns for East Asian wide characters and pictures, none for combining
//! marks. Grapheme clusters are not joined; a line may so come out shorter than allowed, never longer.

/// The columns that a character takes.
fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f000..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// One line without control characters: white space becomes spaces, anything else that is not shown becomes `?`.
pub(super) fn one_line(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(u32::from(c), 0x202a..=0x202e | 0x2066..=0x2069);
    text.chars()
        .map(|c| match c {
            c if c.is_whitespace() => ' ',
            c if hidden(c) => '?',
            c => c,
        })
        .collect()
}

/// At most `columns` columns of a text, with `~` for what was cut.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let line = one_line(text);
    if width(&line) <= columns {
        return line;
    }
    let mut left = columns.saturating_sub(1);
    let mut fitted = String::new();
    for character in line.chars() {
        let Some(rest) = left.checked_sub(columns_of(character)) else { break };
        left = rest;
        fitted.push(character);
    }
    fitted.push('~');
    fitted
}

/// Exactly `columns` columns: cut, or filled with spaces on the right.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let mut fitted = fit(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// The words of a text in lines of at most `columns` columns, each opening with `indent`. Longer words are cut in pieces.
pub(super) fn wrap(text: &str, indent: &str, columns: usize) -> Vec<String> {
    let room = columns.saturating_sub(width(indent)).max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in one_line(text).split(' ').filter(|word| !word.is_empty()) {
        let wide = width(word);
        if taken > 0 && taken + 1 + wide > room {
            lines.push(format!("{indent}{}", std::mem::take(&mut line)));
            taken = 0;
        }
        if taken > 0 {
            line.push(' ');
            taken += 1;
        }
        for character in word.chars() {
            if taken + columns_of(character) > room {
                lines.push(format!("{indent}{}", std::mem::take(&mut line)));
                taken = 0;
            }
            line.push(character);
            taken += columns_of(character);
        }
    }
    if !line.is_empty() {
        lines.push(format!("{indent}{line}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_do_not_pass() {
        assert_eq!(one_line("a\x1b[31m\tb\r\nc\u{202e}"), "a?[31m b  c?");
    }

    #[test]
    fn texts_are_cut_and_filled() {
        assert_eq!(fit("replicas", 8), "replicas");
        assert_eq!(fit("replicas", 5), "repl~");
        assert_eq!(pad("ab", 4), "ab  ");
        assert_eq!(pad("日本語", 4), "日~ ");
        assert_eq!(wrap("one two  three", "  ", 9), ["  one two", "  three"]);
        assert_eq!(wrap("abcdefgh", "", 3), ["abc", "def", "gh"]);
    }

    proptest! {
        #[test]
        fn nothing_exceeds_its_columns(text in ".{0,80}", columns in 3_usize..40) {
            prop_assert_eq!(width(&pad(&text, columns)), columns);
            for line in wrap(&text, " ", columns) {
                prop_assert!(width(&line) <= columns, "{:?}", line);
            }
        }
    }
}
