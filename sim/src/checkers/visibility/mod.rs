//! Values against visibility: is a value one that its updates give, in some order that respects what each had seen?
//!
//! An update that saw another one comes after it; of updates that knew nothing of each other either may be the last. So an
//! element that was added by somebody who had seen its removal must be in the set, one that was removed by somebody who had
//! seen all its additions must not be, and where additions and removals are concurrent both are right: which one it is, is for
//! the data type to say. Without concurrency this is the sequential specification.
//!
//! | object | what is asked of a value |
//! |---|---|
//! | set | every element is in if an addition of it can be the last of its operations, out if a removal can |
//! | register | the value was written by a write that no other one has seen |
//! | multi-value register | the values are those of exactly the writes that no other one has seen |
//! | cart | every quantity is at least what no removal may have taken and at most what no removal must have taken |
//! | sequence | no letter occurs more often than it was inserted, and no more are missing than were deleted |
//!
//! Elements, items and letters are looked at one by one: that one order explains all of them together is not asked.
//!
//! ```
//! use crdts::objects::register::{Register, RegisterOp, RegisterRet};
//! use sim::checkers::visibility::{Fits, Made, Visibility};
//!
//! let writes = ["tea", "coffee"].map(|drink| RegisterOp::Write(drink.to_owned()));
//! let made = |number: usize| Made { number: number as u32, op: &writes[number], ret: Some(&RegisterRet::Written) };
//! // The second write had seen the first.
//! let visibility = Visibility::new(vec![Some(vec![0]), Some(vec![0b1])]);
//! let fits = |value: &str| Register::fits(&[made(0), made(1)], &visibility, &Some(value.to_owned()));
//! assert!(fits("coffee").is_ok());
//! assert!(fits("tea").is_err());
//! ```
//!
//! What is deliberately absent: real time. An update that nobody had heard of is concurrent, however old it is.

mod cart;
mod register;
mod sequence;
mod set;

use std::collections::BTreeMap;

use crdts::object::Object;

use super::CheckerDoc;

/// The agreed value is one that the acknowledged updates allow.
pub const FITTING_VALUE: CheckerDoc = CheckerDoc {
    name: "fitting-value",
    object: "any but counter",
    doc: "the value all replicas agree on has every acknowledged update behind it, once, and is what they give",
};

/// Every read returns a value that its updates give.
pub const FITTING_READS: CheckerDoc = CheckerDoc {
    name: "fitting-reads",
    object: "any but counter",
    doc: "every read returns what the updates behind it give, in some order that respects what each had seen",
};

/// Updates have their effect where they are made.
pub const LOCAL_EFFECTS: CheckerDoc = CheckerDoc {
    name: "local-effects",
    object: "any but counter",
    doc: "an update changes the value of its own replica as it would without concurrency",
};

/// The agreed value is what the data type specifies.
pub const SPECIFIED_VALUE: CheckerDoc = CheckerDoc {
    name: "specified-value",
    object: "any but counter",
    doc: "the value all replicas agree on is what the data type specifies for its updates and what each had seen",
};

/// Which updates each update had seen, by their numbers.
#[derive(Clone, Debug, Default)]
pub struct Visibility(Vec<Option<Vec<u64>>>);

impl Visibility {
    /// Rows of bits by the number of the update; what an update without a row had seen is not known.
    pub fn new(rows: Vec<Option<Vec<u64>>>) -> Self {
        Self(rows)
    }

    /// Had update number `one` seen update number `other`?
    pub fn saw(&self, one: u32, other: u32) -> bool {
        let row = self.0.get(one as usize).and_then(Option::as_ref);
        row.and_then(|row| row.get(other as usize / 64)).is_some_and(|word| word >> (other % 64) & 1 == 1)
    }

    /// Those of some updates that none of the others had seen, in their order.
    pub fn latest<T>(&self, updates: &[T], number: impl Fn(&T) -> u32) -> Vec<usize> {
        let is_seen = |at: usize| {
            let seen = number(&updates[at]);
            // Later updates are the likely ones to have seen it.
            updates.iter().enumerate().rev().any(|(other, update)| other != at && self.saw(number(update), seen))
        };
        (0..updates.len()).filter(|&at| !is_seen(at)).collect()
    }
}

/// An update that is behind a value.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a, O: Object> {
    /// Its number among all updates.
    pub number: u32,
    /// What was asked for.
    pub op: &'a O::Op,
    /// What was answered, if anything was.
    pub ret: Option<&'a O::Ret>,
}

/// What updates have replaced.
#[derive(Clone, Copy, Debug)]
pub struct Replaced<'a, O: Object> {
    /// By the number of an update, the value that it replaced where it was made.
    pub values: &'a BTreeMap<u32, O::State>,
    /// For updates of which that is not known: what they had seen.
    pub visibility: &'a Visibility,
}

/// An object whose values can be held against the updates behind them.
pub trait Fits: Object {
    /// Is `value` what these updates give, in some order that respects visibility? If not: why not.
    fn fits(made: &[Made<'_, Self>], visibility: &Visibility, value: &Self::State) -> Result<(), String>;

    /// Of updates that replace the whole state: how many of those that were acknowledged (with an answer) are gone without anybody
    /// having seen them go? Not those that wrote `value`, those that these have `replaced`, and so on. `None` for other objects.
    fn overwritten(updates: &[Made<'_, Self>], replaced: &Replaced<'_, Self>, value: &Self::State) -> Option<u64> {
        let _ = (updates, replaced, value);
        None
    }
}
