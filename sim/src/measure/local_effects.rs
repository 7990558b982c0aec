//! Local effects: does an update change the value at its own replica as it would without concurrency?
//!
//! Whoever types a letter sees it where it was typed, whoever adds an element sees it in the set: the value right after an
//! update is what the object's specification makes of the value right before, and so is the answer. Replicated data types
//! differ in what others will see, not in this. The first update that behaves otherwise is kept.
//!
//! What is deliberately absent: replicas whose value is a store's, and clusters of more than [`REPLICAS_MAX`] replicas.

use std::{collections::BTreeMap, fmt::Debug};

use crdts::object::Object;

use crate::kernel::{
    ids::{NodeId, OpId},
    time::Time,
};

/// Values are kept for at most so many replicas.
pub const REPLICAS_MAX: u32 = 64;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalEffects {
    /// Updates whose effect was compared.
    pub compared: u64,
    /// The first that did not have the effect that it should have had, and what it had.
    pub surprise: Option<Surprise>,
}

/// An update with another effect than specified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// The update.
    pub op: OpId,
    /// Where.
    pub replica: NodeId,
    /// When.
    pub at: Time,
    /// What was wrong, for a person.
    pub what: String,
}

/// Compares values before and after updates.
#[derive(Clone, Debug)]
pub(super) struct Watch<O: Object> {
    /// The value of every replica at its last change; empty when nobody watches.
    values: Vec<O::State>,
    /// The update that is being made, and the value before it once it has changed something.
    making: Option<(OpId, Option<O::State>)>,
    /// What every update that replaced the state has replaced.
    replaced: BTreeMap<OpId, O::State>,
    found: LocalEffects,
}

impl<O: Object> Watch<O> {
    pub(super) fn new(replicas: u32) -> Self {
        let watched = if O::COMMUTES || replicas > REPLICAS_MAX { 0 } else { replicas };
        Self {
            values: vec![O::State::default(); watched as usize],
            making: None,
            replaced: BTreeMap::new(),
            found: LocalEffects::default(),
        }
    }

    /// Is anything watched at all?
    pub(super) fn is_on(&self) -> bool {
        !self.values.is_empty()
    }

    /// An update takes effect somewhere.
    pub(super) fn effect(&mut self, op: OpId) {
        self.making = Some((op, None));
    }

    /// A replica has another value now.
    pub(super) fn changed(&mut self, replica: NodeId, value: O::State) {
        let before = std::mem::replace(&mut self.values[replica.index()], value);
        match &mut self.making {
            Some((_, unset @ None)) => *unset = Some(before),
            _ => self.making = None,
        }
    }

    /// A replica has this value, and no update is the reason.
    pub(super) fn is_now(&mut self, replica: NodeId, value: O::State) {
        self.values[replica.index()] = value;
        self.making = None;
    }

    /// The replica answers the update that it has just made. It is compared if it is the one whose effect was seen.
    pub(super) fn answered(&mut self, at: Time, op: OpId, replica: NodeId, what: &O::Op) {
        let Some((made, before)) = self.making.take() else { return };
        if made != op {
            return;
        }
        let after = &self.values[replica.index()];
        let before = before.unwrap_or_else(|| after.clone());
        if O::REPLACES {
            self.replaced.insert(op, before.clone());
        }
        if self.found.surprise.is_some() {
            return;
        }
        let mut specified = before.clone();
        O::step(&mut specified, what);
        self.found.compared += 1;
        if specified != *after {
            let what = surprise(what, &before, &specified, after);
            self.found.surprise = Some(Surprise { op, replica, at, what });
        }
    }

    /// By update, what it has replaced where it was made; nothing for objects whose updates leave something of the state.
    pub(super) fn replaced(&self) -> &BTreeMap<OpId, O::State> {
        &self.replaced
    }

    /// What was found.
    pub(super) fn found(&self) -> LocalEffects {
        self.found.clone()
    }
}

fn surprise(op: &impl Debug, before: &impl Debug, specified: &impl Debug, after: &impl Debug) -> String {
    format!("{op:?} should turn {before:?} into {specified:?}, and made it {after:?}")
}
