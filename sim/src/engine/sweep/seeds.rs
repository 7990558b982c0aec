//! Which seeds: a range, or every n-th of it.
//!
//! ```
//! use sim::engine::sweep::{Seeds, Shard};
//! let seeds = Seeds::parse("0..10").expect("a range").of(Shard::parse("2/3").expect("a shard"));
//! assert_eq!(seeds.iter().collect::<Vec<_>>(), [1, 4, 7]);
//! ```
//!
//! What is deliberately absent: lists of single seeds.

/// The seeds of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// One past the last.
    pub to: u64,
    /// Which of them.
    pub shard: Shard,
}

/// Every n-th of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 0.
    pub index: u64,
    /// Of how many.
    pub count: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Reads `2/3`: the second of three.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u64>().ok();
        let numbers = text.split_once('/').and_then(|(index, count)| Some((number(index)?, number(count)?)));
        match numbers {
            Some((index, count)) if 1 <= index && index <= count => Ok(Self { index: index - 1, count }),
            Some((index, count)) if count > 0 => {
                Err(format!("there is no shard {index} of {count}: shards are 1/{count} to {count}/{count}"))
            }
            _ => Err("a shard is I/N, for example 2/3: the second of three".to_owned()),
        }
    }
}

impl Seeds {
    /// Reads `0..100` or a single seed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of seeds: write 0..100, which ends before 100, or one seed");
        let number = |text: &str| text.replace('_', "").parse::<u64>().map_err(|_| wrong());
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => match to.strip_prefix('=') {
                Some(to) => (number(from)?, number(to)?.checked_add(1).ok_or_else(wrong)?),
                None => (number(from)?, number(to)?),
            },
            None => (number(text)?, number(text)?.checked_add(1).ok_or_else(wrong)?),
        };
        if from >= to {
            return Err(format!("there is no seed in {text}: a range goes up, and ends before its second number"));
        }
        Ok(Self { from, to, shard: Shard::WHOLE })
    }

    /// The first seeds, from 0 on.
    pub fn first(count: u64) -> Self {
        Self { from: 0, to: count, shard: Shard::WHOLE }
    }

    /// The seeds of a shard.
    #[must_use]
    pub fn of(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        (self.to - self.from).saturating_sub(self.shard.index).div_ceil(self.shard.count)
    }

    /// The seeds, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        let (first, count, step) = (self.from + self.shard.index, self.count(), self.shard.count);
        (0..count).map(move |at| first + at * step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_have_all_seeds_and_none_twice() {
        for (count, to) in (1..6).flat_map(|count| (5..20).map(move |to| (count, to))) {
            let seeds = Seeds { from: 5, to: to + 1, shard: Shard::WHOLE };
            let mut all: Vec<u64> =
                (0..count).flat_map(|index| seeds.of(Shard { index, count }).iter().collect::<Vec<_>>()).collect();
            all.sort_unstable();
            assert_eq!(all, seeds.iter().collect::<Vec<_>>());
            assert_eq!(all.len() as u64, seeds.count());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(Seeds::parse("7").map(|seeds| (seeds.from, seeds.to)), Ok((7, 8)));
        assert_eq!(Seeds::parse("1..=3").map(|seeds| seeds.count()), Ok(3));
        for wrong in ["", "..", "3..3", "9..3", "a..b", "-1..3", "1...3", "18446744073709551615"] {
            assert!(Seeds::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Shard::parse("4/3").expect_err("none"), "there is no shard 4 of 3: shards are 1/3 to 3/3");
        for wrong in ["", "0/3", "1/0", "1", "a/b", "1/2/3"] {
            assert!(Shard::parse(wrong).is_err(), "{wrong}");
        }
    }
}
