//! Flags: on or off, and off at first.
//!
//! Enabling and disabling that did not see each other conflict, and the type says who wins.
//!
//! * [`EwFlag`], *enable-wins*: a [`DotSet`] of the enablings that are left. Disabling removes those that it finds.
//! * [`DwFlag`], *disable-wins*: enablings and disablings that nothing newer has seen. The flag is on if some of the
//!   former are left and none of the latter. Disabling a flag that is off has an effect: it wins over an enabling
//!   elsewhere. A disabling is kept until something newer has seen it, for the reason that [`crate::rw_set`] gives.
//!
//! **Why they converge.** Both are dots in a store, and the join is that of the store: [`crate::causality::causal`]
//! (Almeida, Shoker and Baquero 2018, section 7.4).
//!
//! ```
//! use crdts::{DwFlag, EwFlag, Lattice, ReplicaId};
//!
//! let (mut ours, mut theirs) = (EwFlag::bottom(), EwFlag::bottom());
//! ours.enable(ReplicaId(1))?;
//! theirs.join(&ours);
//! theirs.disable(ReplicaId(2))?;
//! ours.enable(ReplicaId(1))?;
//! ours.join(&theirs);
//! assert!(ours.is_enabled());
//!
//! let (mut ours, mut theirs) = (DwFlag::bottom(), DwFlag::bottom());
//! ours.enable(ReplicaId(1))?;
//! theirs.disable(ReplicaId(2))?;
//! ours.join(&theirs);
//! assert!(!ours.is_enabled());
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: a flag where the later one wins. That is a register.

use crate::{
    causality::{Causal, CausalSpec, CausalType, Change, Dot, DotSet, DotStore, Effect, Event},
    clock::ReplicaId,
    lattice::{UpdateError, Weight},
    objects::flag::{Flag, FlagOp, FlagRet},
};

/// What makes a causal state a flag in which enabling wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnableWins;

/// What makes a causal state a flag in which disabling wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisableWins;

/// A flag in which enabling wins. See the [module documentation](self).
pub type EwFlag = Causal<EnableWins>;

/// A flag in which disabling wins. See the [module documentation](self).
pub type DwFlag = Causal<DisableWins>;

/// Puts `votes` in the place of all that are known.
fn vote<S: DotStore>(store: &mut S, votes: S) -> Change<S> {
    let mut removed = Vec::new();
    store.dots(&mut |dot| removed.push(dot));
    store.clone_from(&votes);
    Change { added: votes, removed: removed.into_iter().collect() }
}

impl CausalType for EnableWins {
    type Store = DotSet;
    type Object = Flag;

    const NAME: &'static str = "ew-flag";

    fn update(store: &mut DotSet, dot: Dot, op: &FlagOp) -> Result<Effect<FlagRet, DotSet>, UpdateError> {
        Ok(match op {
            FlagOp::Enable => Effect { ret: FlagRet::Enabled, change: Some(vote(store, DotSet::single(dot))) },
            FlagOp::Disable if store.is_empty() => Effect::none(FlagRet::Disabled),
            FlagOp::Disable => Effect { ret: FlagRet::Disabled, change: Some(vote(store, DotSet::default())) },
            FlagOp::Read => Effect::none(FlagRet::Value(!store.is_empty())),
        })
    }

    fn value(store: &DotSet) -> bool {
        !store.is_empty()
    }
}

fn is_on((enabled, disabled): &(DotSet, DotSet)) -> bool {
    !enabled.is_empty() && disabled.is_empty()
}

impl CausalType for DisableWins {
    type Store = (DotSet, DotSet);
    type Object = Flag;

    const NAME: &'static str = "dw-flag";

    fn update(store: &mut Self::Store, dot: Dot, op: &FlagOp) -> Result<Effect<FlagRet, Self::Store>, UpdateError> {
        let (enabling, disabling) =
            ((DotSet::single(dot), DotSet::default()), (DotSet::default(), DotSet::single(dot)));
        Ok(match op {
            FlagOp::Enable => Effect { ret: FlagRet::Enabled, change: Some(vote(store, enabling)) },
            FlagOp::Disable => Effect { ret: FlagRet::Disabled, change: Some(vote(store, disabling)) },
            FlagOp::Read => Effect::none(FlagRet::Value(is_on(store))),
        })
    }

    fn value(store: &Self::Store) -> bool {
        is_on(store)
    }

    fn weight(store: &Self::Store) -> Weight {
        let (enabled, disabled) = (store.0.weight(), store.1.weight());
        Weight { metadata_bytes: enabled.metadata_bytes, tombstone_bytes: disabled.metadata_bytes, ..enabled }
    }
}

impl EwFlag {
    /// Enables the flag at `replica`. Returns the delta.
    pub fn enable(&mut self, replica: ReplicaId) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(vote(store, DotSet::single(dot))))
    }

    /// Disables the flag at `replica`. Returns the delta: bottom if it is off.
    pub fn disable(&mut self, replica: ReplicaId) -> Result<Self, UpdateError> {
        self.change(replica, |store, _| (!store.is_empty()).then(|| vote(store, DotSet::default())))
    }

    /// Is it on?
    pub fn is_enabled(&self) -> bool {
        !self.store().is_empty()
    }
}

impl DwFlag {
    /// Enables the flag at `replica`. Returns the delta.
    pub fn enable(&mut self, replica: ReplicaId) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(vote(store, (DotSet::single(dot), DotSet::default()))))
    }

    /// Disables the flag at `replica`, also if it is off. Returns the delta.
    pub fn disable(&mut self, replica: ReplicaId) -> Result<Self, UpdateError> {
        self.change(replica, |store, dot| Some(vote(store, (DotSet::default(), DotSet::single(dot)))))
    }

    /// Is it on?
    pub fn is_enabled(&self) -> bool {
        is_on(self.store())
    }
}

/// The flag is on if it was enabled, and no disabling saw that.
impl CausalSpec for EwFlag {
    fn specify(history: &[Event<FlagOp>]) -> bool {
        let undone = |event: &Event<_>| history.iter().any(|other| other.op == FlagOp::Disable && other.saw(event));
        history.iter().any(|event| event.op == FlagOp::Enable && !undone(event))
    }
}

/// The flag is on if it was enabled, and every disabling was seen by an enabling.
impl CausalSpec for DwFlag {
    fn specify(history: &[Event<FlagOp>]) -> bool {
        let undone = |event: &Event<_>| history.iter().any(|other| other.op == FlagOp::Enable && other.saw(event));
        history.iter().any(|event| event.op == FlagOp::Enable)
            && history.iter().all(|event| event.op != FlagOp::Disable || undone(event))
    }
}
