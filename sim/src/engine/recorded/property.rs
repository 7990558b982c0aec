//! Properties by name: what a history can be held against.
//!
//! Most are consistency models. The others are what a checker of one object asks for.
//!
//! Invariant: names are those of the consistency models and of the checkers.

use crate::checkers::{
    CheckerDoc, Consistency,
    counter::{BOUNDED_READS, FINAL_READS, RISING_TOTALS},
    set_full::SET_FULL,
};

/// What a history is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// A consistency model.
    Model(Consistency),
    /// What a checker of the object asks for.
    Checker(Checker),
}

/// A checker of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    /// Final reads of a counter return what the additions allow.
    FinalReads,
    /// Reads of a counter lie within the bounds of what they must and may contain.
    BoundedReads,
    /// No process sees a total fall, where nothing is taken away.
    RisingTotals,
    /// Elements of a set that grows are stable, lost, or duplicated.
    SetFull,
}

impl Checker {
    const ALL: [Self; 4] = [Self::FinalReads, Self::BoundedReads, Self::RisingTotals, Self::SetFull];

    fn about(self) -> CheckerDoc {
        match self {
            Self::FinalReads => FINAL_READS,
            Self::BoundedReads => BOUNDED_READS,
            Self::RisingTotals => RISING_TOTALS,
            Self::SetFull => SET_FULL,
        }
    }
}

impl Property {
    /// All properties, the consistency models first.
    pub fn all() -> impl Iterator<Item = Self> {
        // Strong convergence is about replicas, of which a history says nothing.
        let models = Consistency::ALL.into_iter().filter(|&model| model != Consistency::StronglyConvergent);
        models.map(Self::Model).chain(Checker::ALL.into_iter().map(Self::Checker))
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model(model) => model.name(),
            Self::Checker(checker) => checker.about().name,
        }
    }

    /// One line on what it asks for.
    pub fn doc(self) -> &'static str {
        match self {
            Self::Model(model) => model.doc(),
            Self::Checker(checker) => checker.about().doc,
        }
    }

    /// The property with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|property| property.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found() {
        for property in Property::all() {
            assert_eq!(Property::named(property.name()), Some(property));
        }
        assert_eq!(Property::named("strongly-convergent"), None);
    }
}
