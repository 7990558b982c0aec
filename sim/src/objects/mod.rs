//! Objects as the simulator knows them: what a run of one is judged by.
//!
//! An object of `crdts` says what operations mean one after the other. To be simulated it also has a size on the wire
//! ([`Wire`]), a form in files ([`Spoken`]), and values that can be held against updates ([`Fits`]); here it says which
//! checkers judge a run ([`Judged`]). Objects whose updates commute are judged by sums, all others by visibility.
//!
//! A new object implements the four traits, gets a generator in `workloads`, and one line in the registry.
//!
//! What is deliberately absent: protocols. Whatever replicates an object, its runs are judged alike.

mod counter;
pub mod foreign;
mod ruled;

use std::collections::{BTreeMap, BTreeSet};

use crdts::objects::{
    cart::{Cart, CartRet},
    mv_register::{MultiValue, MultiValueRet},
    register::{Register, RegisterRet},
    sequence::{Sequence, SequenceRet},
    set::{Set, SetRet},
};

use crate::{
    checkers::{
        CheckerDoc, Verdict,
        visibility::{Fits, Visibility},
    },
    history::{History, Spoken},
    measure::local_effects::LocalEffects,
    protocols::wire::Wire,
};

pub use ruled::{made, rule};

/// An object whose runs can be judged.
pub trait Judged: Wire + Spoken + Fits {
    /// What an update adds to the total, for objects whose updates commute. What adds nothing changes nothing.
    fn weigh(op: &Self::Op) -> i128 {
        let _ = op;
        0
    }

    /// The whole state that a read returned, for objects whose updates do not commute.
    fn state_of(ret: &Self::Ret) -> Option<Self::State> {
        let _ = ret;
        None
    }

    /// The total that a read returned, for objects whose updates commute.
    fn total(ret: &Self::Ret) -> Option<i128> {
        let _ = ret;
        None
    }

    /// Why no order of operations, one after the other, leaves this behind, if none does. A value of concurrent updates can be
    /// right and yet be no value of the object's sequential specification.
    fn beyond_any_order(state: &Self::State) -> Option<String> {
        let _ = state;
        None
    }

    /// Judges a run that has ended. The first checks decide whether its outcome is correct, see [`Judgement::decisive`].
    fn judge(ended: &Ended<'_, Self>) -> Judgement {
        rule(ended)
    }
}

impl Judged for Set<String> {
    fn state_of(ret: &SetRet<String>) -> Option<BTreeSet<String>> {
        match ret {
            SetRet::Elements(elements) => Some(elements.iter().cloned().collect()),
            _ => None,
        }
    }
}

impl Judged for Register<String> {
    fn state_of(ret: &RegisterRet<String>) -> Option<Option<String>> {
        match ret {
            RegisterRet::Value(value) => Some(value.clone()),
            RegisterRet::Written => None,
        }
    }
}

impl Judged for MultiValue<String> {
    fn state_of(ret: &MultiValueRet<String>) -> Option<Vec<String>> {
        match ret {
            MultiValueRet::Siblings(siblings) => Some(siblings.clone()),
            MultiValueRet::Written => None,
        }
    }

    fn beyond_any_order(siblings: &Vec<String>) -> Option<String> {
        (siblings.len() > 1).then(|| format!("writes one after the other leave one value, and not {}", siblings.len()))
    }
}

impl Judged for Sequence {
    fn state_of(ret: &SequenceRet) -> Option<String> {
        match ret {
            SequenceRet::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Judged for Cart<String> {
    fn state_of(ret: &CartRet<String>) -> Option<BTreeMap<String, u128>> {
        match ret {
            CartRet::Items(items) => Some(items.iter().cloned().collect()),
            _ => None,
        }
    }
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a, O: Judged> {
    /// What clients saw.
    pub history: &'a History<O>,
    /// The value of all live replicas, if they agree.
    pub agreed: Option<&'a O::State>,
    /// Which updates are behind it: a row of bits by their numbers.
    pub content: Option<&'a [u64]>,
    /// Which updates each update had seen.
    pub visibility: Option<&'a Visibility>,
    /// By the number of an update, what it has replaced, where that is known.
    pub replaced: &'a BTreeMap<u32, O::State>,
    /// Acknowledged updates that are gone.
    pub lost_updates: Option<u64>,
    /// Updates that are there too often, or should not be there.
    pub phantom_updates: Option<u64>,
    /// Does every read fit the updates behind it?
    pub reads: &'a Verdict,
    /// Effects of updates where they were made.
    pub local_effects: &'a LocalEffects,
    /// Is the agreed value what the data type specifies? `None` where it specifies none.
    pub specified: Option<&'a Verdict>,
}

/// What the checkers of an object say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Every checker, and its verdict.
    pub checks: Vec<(CheckerDoc, Verdict)>,
    /// How many of the first checks all have to pass for the outcome to be correct.
    pub decisive: usize,
    /// The values that the operations allow, for a person.
    pub acceptable: String,
    /// Acknowledged updates that are gone, or overwritten by updates that knew nothing of them.
    pub lost_updates: Option<u64>,
}

impl Judgement {
    /// Is the outcome correct?
    pub fn correct(&self) -> Verdict {
        let decisive = self.checks.iter().take(self.decisive);
        let failed = decisive.map(|(_, verdict)| verdict).find(|verdict| **verdict != Verdict::Pass);
        failed.cloned().unwrap_or(Verdict::Pass)
    }
}
