//! The rule by which concurrent insertions at one place are ordered: all that tells RGA, Fugue and FugueMax apart.
//!
//! ```
//! use crdts::sequence::{FugueMaxOrder, FugueOrder, Ordering, RgaOrder};
//!
//! assert_eq!([RgaOrder::NAME, FugueOrder::NAME, FugueMaxOrder::NAME], ["rga", "fugue", "fugue-max"]);
//! ```
//!
//! What is deliberately absent: rules from outside. The engine knows how to find a place fast for these three only.

use std::fmt::Debug;

/// An ordering rule. See [the rules](crate::sequence::Op).
pub trait Ordering: Clone + Copy + Debug + Default + PartialEq + Eq + Send + Sync + 'static + private::Sealed {
    /// The name in scenarios and reports.
    const NAME: &'static str;
}

/// Replicated growable array: newer characters first (Roh et al. 2011).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RgaOrder;

/// Fugue (Weidner and Kleppmann 2025, section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FugueOrder;

/// FugueMax, which is maximally non-interleaving (Weidner and Kleppmann 2025, section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FugueMaxOrder;

impl Ordering for RgaOrder {
    const NAME: &'static str = "rga";
}

impl Ordering for FugueOrder {
    const NAME: &'static str = "fugue";
}

impl Ordering for FugueMaxOrder {
    const NAME: &'static str = "fugue-max";
}

pub(super) mod private {
    /// What the engine must know of a rule.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Rule {
        Rga,
        Fugue,
        FugueMax,
    }

    pub trait Sealed {
        const RULE: Rule;
        /// Do replicas note right origins?
        const KEEPS_RIGHT: bool = !matches!(Self::RULE, Rule::Rga);
        /// Do Lamport times order characters?
        const BY_TIME: bool = matches!(Self::RULE, Rule::Rga);
    }

    impl Sealed for super::RgaOrder {
        const RULE: Rule = Rule::Rga;
    }

    impl Sealed for super::FugueOrder {
        const RULE: Rule = Rule::Fugue;
    }

    impl Sealed for super::FugueMaxOrder {
        const RULE: Rule = Rule::FugueMax;
    }
}
