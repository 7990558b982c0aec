//! Numbers for people: three digits that matter, with a unit.
//!
//! Invariant: integer arithmetic only, so that every platform rounds alike; and a share below 100 % is never shown as
//! 100 %. Exact numbers are in `report.json`.

/// A duration to three significant digits: `1.23ms`, `20s`, `16.7min`.
pub(super) fn duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 7] = [
        (1, "ns"),
        (1_000, "us"),
        (1_000_000, "ms"),
        (1_000_000_000, "s"),
        (60_000_000_000, "min"),
        (3_600_000_000_000, "h"),
        (86_400_000_000_000, "d"),
    ];
    if ns == 0 {
        return "0s".to_owned();
    }
    scaled(ns, &UNITS)
}

/// A size to three significant digits: `512B`, `1.5KiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 7] = [
        (1, "B"),
        (1 << 10, "KiB"),
        (1 << 20, "MiB"),
        (1 << 30, "GiB"),
        (1 << 40, "TiB"),
        (1 << 50, "PiB"),
        (1 << 60, "EiB"),
    ];
    scaled(bytes, &UNITS)
}

/// A count: exact with separators up to ten million, to three significant digits above.
pub(super) fn count(count: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (1_000_000, "M"),
        (1_000_000_000, "G"),
        (1_000_000_000_000, "T"),
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000_000_000, "E"),
    ];
    if count >= 10_000_000 {
        return scaled(count, &UNITS);
    }
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() + 2);
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Parts per million as a percentage with two decimals, rounded down: `99.99%`.
pub(super) fn percentage(ppm: u32) -> String {
    match ppm {
        1..100 => "<0.01%".to_owned(),
        _ => format!("{}%", decimal(u128::from(ppm / 100), 2)),
    }
}

/// A value in the first unit in which its three significant digits stay below 1000.
fn scaled(value: u64, units: &[(u64, &str)]) -> String {
    for &(unit, name) in units {
        if let Some(shown) = three_digits(value, unit) {
            return shown + name;
        }
    }
    let &(unit, name) = units.last().expect("every table of units has entries");
    format!("{}{name}", rounded(value, unit, 1))
}

/// `value / unit` to three significant digits, or `None` when that is 1000 or more. Units of one have no decimals.
fn three_digits(value: u64, unit: u64) -> Option<String> {
    let decimals_max = if unit == 1 { 0 } else { 2 };
    (0..=decimals_max).rev().find_map(|decimals| {
        let scaled = rounded(value, unit, 10_u128.pow(decimals));
        (scaled < 1_000).then(|| decimal(scaled, decimals as usize))
    })
}

/// `value * factor / unit`, rounded half up.
fn rounded(value: u64, unit: u64, factor: u128) -> u128 {
    (u128::from(value) * factor + u128::from(unit) / 2) / u128::from(unit)
}

/// `digits` with the last `decimals` of them after the point, without trailing zeros.
fn decimal(digits: u128, decimals: usize) -> String {
    let scale = 10_u128.pow(decimals as u32);
    let whole = digits / scale;
    match digits % scale {
        0 => whole.to_string(),
        rest => format!("{whole}.{}", format!("{rest:0decimals$}").trim_end_matches('0')),
    }
}

/// A p-value in parts per million, for a person.
pub(super) fn p_value(ppm: u32) -> String {
    if ppm <= 1 { "<= 0.000001".to_owned() } else { format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_digits() {
        for (ns, shown) in [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1us"),
            (1_234_567, "1.23ms"),
            (1_235_000, "1.24ms"),
            (20_000_000, "20ms"),
            (999_499_999, "999ms"),
            (999_999_999, "1s"),
            (12_340_000_000, "12.3s"),
            (600_000_000_000, "600s"),
            (1_000_000_000_000, "16.7min"),
            (86_400_000_000_000, "24h"),
            (u64::MAX, "213504d"),
        ] {
            assert_eq!(duration(ns), shown);
        }
    }

    #[test]
    fn sizes_counts_and_shares() {
        for (size, shown) in [(0, "0B"), (512, "512B"), (1_536, "1.5KiB"), (1_048_000, "1MiB"), (u64::MAX, "16EiB")] {
            assert_eq!(bytes(size), shown);
        }
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (12_345, "12,345"),
            (9_999_999, "9,999,999"),
            (10_000_000, "10M"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(count(number), shown);
        }
        for (ppm, shown) in [(0, "0%"), (1, "<0.01%"), (500_000, "50%"), (999_999, "99.99%"), (1_000_000, "100%")] {
            assert_eq!(percentage(ppm), shown);
        }
    }
}
