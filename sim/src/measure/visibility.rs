//! Visibility: which updates each update had seen when it was made.
//!
//! A row of bits per update, by the numbers of updates, as in [`super::contents`]. Where replicas know updates by progress, the
//! row is taken at the replica when it answers the update; where values have a lineage, it is what the value was derived from.
//! This is the order over which replicated data types are specified (Burckhardt et al. 2014, *Replicated data types:
//! specification, verification, optimality*, section 3).
//!
//! What is deliberately absent: objects whose updates commute. For those the order makes no difference, and nothing is kept.

use super::{contents::BYTES_MAX, reflection::Reflection};
use crate::kernel::lineage::Lineage;

/// The most updates of a run whose lineage is walked, which takes their square in time.
const LINEAGE_MAX: usize = 1 << 13;

/// What each update had seen, by its number; `None` where that is not known, for example because it never took effect.
pub type Pasts = Vec<Option<Vec<u64>>>;

/// The rows so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Visibility {
    pasts: Pasts,
    bytes: usize,
}

impl Visibility {
    /// The update with this number has just been made where `content` is reflected, itself included.
    pub(super) fn made(&mut self, number: u32, mut content: Vec<u64>) {
        if self.is_exhausted() {
            return;
        }
        if let Some(word) = content.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
        while content.last() == Some(&0) {
            content.pop();
        }
        content.shrink_to_fit();
        self.bytes += content.len() * size_of::<u64>() + size_of::<Option<Vec<u64>>>();
        if self.pasts.len() <= number as usize {
            self.pasts.resize(number as usize + 1, None);
        }
        self.pasts[number as usize].get_or_insert(content);
        if self.is_exhausted() {
            self.pasts = Vec::new();
        }
    }

    fn is_exhausted(&self) -> bool {
        self.bytes > BYTES_MAX
    }

    /// All rows, those of values with a lineage included; `None` when they were given up.
    pub(super) fn finish(&self, reflection: &Reflection, lineage: &Lineage) -> Option<Pasts> {
        let updates = reflection.updates().len();
        if self.is_exhausted() || reflection.is_exhausted() {
            return None;
        }
        let mut pasts = self.pasts.clone();
        pasts.resize(updates, None);
        if lineage.derivations().next().is_some() && updates > LINEAGE_MAX {
            return None;
        }
        for (op, parent) in lineage.derivations() {
            let past = &mut pasts[reflection.number(op) as usize];
            if past.is_none() {
                let mut row = Vec::new();
                for seen in lineage.path(parent).filter(|&seen| seen != op) {
                    set(&mut row, reflection.number(seen));
                }
                *past = Some(row);
            }
        }
        Some(pasts)
    }

    /// The memory held, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes as u64
    }
}

fn set(row: &mut Vec<u64>, number: u32) {
    let word = number as usize / 64;
    if row.len() <= word {
        row.resize(word + 1, 0);
    }
    row[word] |= 1 << (number % 64);
}
