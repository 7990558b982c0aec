//! Distinct random peers.

/// Up to this many are drawn without allocation.
const INLINE_MAX: usize = 8;

/// Distinct numbers below a bound.
#[derive(Debug)]
pub(super) enum Sample {
    /// All numbers below this one.
    All(u32),
    Few {
        picked: [u32; INLINE_MAX],
        count: u32,
    },
    Many(Vec<u32>),
}

impl Sample {
    /// Draws `count` distinct numbers below `bound`, each set equally likely (Floyd's algorithm: Bentley and Floyd
    /// 1987, "A sample of brilliance"). When there are no more than `count`, it takes all and draws nothing.
    #[inline]
    pub(super) fn draw(count: u32, bound: u32, mut below: impl FnMut(u64) -> u64) -> Self {
        if count >= bound {
            return Self::All(bound);
        }
        let mut floyd = |picked: &mut [u32]| {
            for (at, candidate) in (bound - count..bound).enumerate() {
                let drawn = below(u64::from(candidate) + 1) as u32;
                picked[at] = if picked[..at].contains(&drawn) { candidate } else { drawn };
            }
        };
        if count as usize <= INLINE_MAX {
            let mut picked = [0; INLINE_MAX];
            floyd(&mut picked);
            Self::Few { picked, count }
        } else {
            let mut picked = vec![0; count as usize];
            floyd(&mut picked);
            Self::Many(picked)
        }
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        match self {
            Self::All(count) | Self::Few { count, .. } => *count,
            Self::Many(picked) => picked.len() as u32,
        }
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> u32 {
        match self {
            Self::All(_) => index,
            Self::Few { picked, .. } => picked[index as usize],
            Self::Many(picked) => picked[index as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kernel::draws::Stream;

    fn sample(count: u32, bound: u32, number: u64) -> Vec<u32> {
        let stream = Stream::new(1, "test");
        let mut counter = 0;
        let sample = Sample::draw(count, bound, |bound| {
            counter += 1;
            stream.below(number, counter, bound)
        });
        (0..sample.len()).map(|index| sample.get(index)).collect()
    }

    #[test]
    fn numbers_are_distinct_and_as_many_as_asked_for() {
        for (count, bound) in [(0, 5), (1, 1), (1, 9), (3, 4), (8, 9), (9, 10), (40, 100), (7, 3), (2, 0)] {
            for number in 0..50 {
                let mut picked = sample(count, bound, number);
                assert_eq!(picked.len() as u32, count.min(bound));
                assert!(picked.iter().all(|&index| index < bound));
                picked.sort_unstable();
                picked.dedup();
                assert_eq!(picked.len() as u32, count.min(bound), "{count} of {bound}");
            }
        }
    }

    #[test]
    fn every_set_is_equally_likely() {
        let mut seen = BTreeMap::new();
        for number in 0..10_000 {
            let mut picked = sample(2, 5, number);
            picked.sort_unstable();
            *seen.entry(picked).or_insert(0_i32) += 1;
        }
        assert_eq!(seen.len(), 10);
        // Six standard deviations around a tenth of them.
        assert!(seen.values().all(|count| (count - 1000).abs() < 180), "{seen:?}");
    }
}
