//! Sampling latencies from integer tables.
//!
//! A [`LatencyTable`] is an inverse distribution function at evenly spaced probabilities, with linear interpolation in
//! between. Sampling uses integers only. The last cell, where the tail lives, is resolved once more, so that quantiles up
//! to one in two million are faithful; beyond that the tail is cut.
//!
//! How a distribution becomes knots is not decided here (`scenario::distribution`).

use super::draws::folded_product;

/// Cells of the main table.
pub const CELLS: usize = 4096;
/// Cells of the tail table, which resolves the last main cell.
pub const TAIL_CELLS: usize = 512;

/// An inverse distribution function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyTable {
    /// `CELLS + 1` knots in nanoseconds, at probabilities `k / CELLS`; empty for a constant.
    knots: Vec<u64>,
    /// `TAIL_CELLS + 1` knots at probabilities `1 - (1 - k / TAIL_CELLS) / CELLS`.
    tail: Vec<u64>,
    /// The latency when `knots` is empty.
    constant: u64,
}

/// Why knots do not make a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Not `CELLS + 1` or `TAIL_CELLS + 1` knots.
    Length,
    /// Knots fall.
    NotMonotone,
}

impl LatencyTable {
    /// Always the same latency.
    pub fn constant(latency_ns: u64) -> Self {
        Self { knots: Vec::new(), tail: Vec::new(), constant: latency_ns }
    }

    /// A table from the knots of the main part and of the tail, both in nanoseconds and never falling.
    pub fn new(knots: Vec<u64>, tail: Vec<u64>) -> Result<Self, TableError> {
        if knots.len() != CELLS + 1 || tail.len() != TAIL_CELLS + 1 {
            return Err(TableError::Length);
        }
        if !knots.is_sorted() || !tail.is_sorted() {
            return Err(TableError::NotMonotone);
        }
        Ok(Self { knots, tail, constant: 0 })
    }

    /// The latency for 64 uniform bits.
    #[inline]
    pub fn sample(&self, word: u64) -> u64 {
        if self.knots.is_empty() {
            return self.constant;
        }
        let cell = (word >> 52) as usize;
        let rest = word << 12;
        if cell == CELLS - 1 {
            interpolate(&self.tail, (rest >> 55) as usize, rest << 9)
        } else {
            interpolate(&self.knots, cell, rest)
        }
    }

    /// The least latency that can be drawn.
    pub fn latency_ns_min(&self) -> u64 {
        self.knots.first().copied().unwrap_or(self.constant)
    }

    /// The greatest latency that can be drawn.
    pub fn latency_ns_max(&self) -> u64 {
        self.tail.last().copied().unwrap_or(self.constant)
    }

    /// A digest of the knots, for golden vectors.
    pub fn digest(&self) -> u64 {
        self.knots
            .iter()
            .chain(&self.tail)
            .fold(self.constant, |sum, &knot| folded_product(sum ^ 0x9e37_79b9_7f4a_7c15, knot ^ 0xd6e8_feb8_6659_fd93))
    }
}

/// Between knot `cell` and the next, at `rest / 2^64`.
#[inline]
fn interpolate(knots: &[u64], cell: usize, rest: u64) -> u64 {
    let (low, high) = (knots[cell], knots[cell + 1]);
    low + ((u128::from(high - low) * u128::from(rest)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The uniform distribution on `0..CELLS * 1000` ns.
    fn uniform() -> LatencyTable {
        let top = CELLS as u64 * 1000;
        let knots = (0..=CELLS as u64).map(|k| k * 1000).collect();
        let tail = (0..=TAIL_CELLS as u64).map(|k| top - 1000 + k * 1000 / TAIL_CELLS as u64).collect();
        LatencyTable::new(knots, tail).expect("the knots rise")
    }

    #[test]
    fn sampling_inverts_the_distribution() {
        let table = uniform();
        for (word, latency_ns) in [(0, 0), (1 << 63, 2_048_000), (1 << 52, 1000), (u64::MAX, 4_095_999)] {
            assert_eq!(table.sample(word), latency_ns);
        }
        let tail_start = ((CELLS - 1) as u64) << 52;
        assert_eq!(table.sample(tail_start), (CELLS as u64 - 1) * 1000);
        assert!(table.sample(tail_start - 1) <= table.sample(tail_start));
    }

    #[test]
    fn samples_never_fall_when_the_word_rises() {
        let table = uniform();
        let words =
            (0..10_000_u64).map(|k| k << 50).chain((0..10_000).map(|k| u64::MAX - (10_000 - k) * 1_000_000_007));
        assert!(words.map(|word| table.sample(word)).collect::<Vec<_>>().is_sorted());
    }

    #[test]
    fn a_constant_needs_no_table() {
        let table = LatencyTable::constant(7);
        assert_eq!((table.sample(0), table.sample(u64::MAX)), (7, 7));
        assert_eq!((table.latency_ns_min(), table.latency_ns_max()), (7, 7));
    }

    #[test]
    fn falling_or_missing_knots_are_refused() {
        assert_eq!(LatencyTable::new(vec![], vec![]), Err(TableError::Length));
        let mut knots = vec![5; CELLS + 1];
        knots[9] = 4;
        assert_eq!(LatencyTable::new(knots, vec![5; TAIL_CELLS + 1]), Err(TableError::NotMonotone));
    }
}
