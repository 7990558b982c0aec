//! Models: sequential specifications as the judge needs them.
//!
//! A [`Model`] says which answers are right when calls happen one after the other. Three methods are enough. The others are
//! knowledge that makes the search faster and never changes its result, as long as they keep their promises:
//!
//! * [`Model::touches`]: which keys a call concerns. Calls on different keys are judged apart.
//! * [`Model::demands`] and its companions: *facts* about the state that a call needs, and which calls can bring a fact
//!   about. A search that has just made a fact false which is still needed, and that nothing left can bring about again,
//!   need not go on.
//! * [`Model::shortcut`]: an exact answer without a search, where theory has one.
//!
//! ```
//! use sim::checkers::linearizability::{Call, Judgement, Limits, Model, check};
//!
//! /// Hands out tickets: 0, 1, 2, …
//! struct Tickets;
//!
//! impl Model for Tickets {
//!     type Op = ();
//!     type Ret = u64;
//!     type State = u64;
//!     type Key = ();
//!     type Fact = ();
//!
//!     fn init(&self) -> u64 {
//!         0
//!     }
//!     fn step(&self, next: &u64, _: &(), ret: Option<&u64>) -> Option<u64> {
//!         ret.is_none_or(|ret| ret == next).then_some(next + 1)
//!     }
//!     fn is_read(&self, _: &(), _: Option<&u64>) -> bool {
//!         false
//!     }
//! }
//!
//! let mut calls = vec![Call::returned(0, (), 1, 0, 10), Call::returned(1, (), 0, 5, 15)];
//! assert!(matches!(check(&Tickets, &calls, &Limits::default()), Judgement::Linearizable { .. }));
//! calls[1].invoked = 11;
//! assert!(matches!(check(&Tickets, &calls, &Limits::default()), Judgement::NotLinearizable(_)));
//! ```
//!
//! What is deliberately absent: nondeterministic specifications. An operation in a state has one outcome.

use std::{fmt::Debug, hash::Hash};

/// A sequential specification.
pub trait Model: Sync {
    /// An operation with its arguments.
    type Op: Eq + Hash + Debug + Sync;
    /// An answer.
    type Ret: Eq + Hash + Debug + Sync;
    /// The state of the object.
    type State: Clone + Eq + Hash + Debug;
    /// What calls touch; `()` if the object is one whole.
    type Key: Clone + Ord + Debug + Sync;
    /// What calls demand of the state; `()` if nothing is known.
    type Fact: Clone + Eq + Hash + Debug;

    /// The state at the beginning.
    fn init(&self) -> Self::State;

    /// The state after `op` in `state` if it can answer `ret` there. Without `ret` any answer is right, and the state is
    /// the same as with the right one.
    fn step(&self, state: &Self::State, op: &Self::Op, ret: Option<&Self::Ret>) -> Option<Self::State>;

    /// Does a call that answered this leave every state as it is? True only for those that never change anything.
    fn is_read(&self, op: &Self::Op, ret: Option<&Self::Ret>) -> bool;

    /// What the call touches: calls without a key in common must commute in every state, answers included.
    fn touches(&self, _op: &Self::Op) -> Touches<Self::Key> {
        Touches::Everything
    }

    /// What is promised about facts.
    fn insight(&self) -> Insight {
        Insight::None
    }

    /// Facts that hold in every state where the call can answer `ret`; without `ret`, facts without which it has no effect.
    fn demands(&self, _op: &Self::Op, _ret: Option<&Self::Ret>) -> Vec<Self::Fact> {
        Vec::new()
    }

    /// Does the fact hold?
    fn holds(&self, _state: &Self::State, _fact: &Self::Fact) -> bool {
        true
    }

    /// Is there a state where the fact does not hold, and does hold after `op`? True if in doubt.
    fn could_make(&self, _op: &Self::Op, _fact: &Self::Fact) -> bool {
        true
    }

    /// Can it matter to the fact, now or after further operations, that `op` took effect? True if in doubt.
    fn could_help(&self, op: &Self::Op, fact: &Self::Fact) -> bool {
        self.could_make(op, fact)
    }

    /// A state that stands for this one: of all these facts the same hold in both, now and after any operations. They are all
    /// that is demanded. Called at [`Insight::Complete`] and above.
    fn simplify(&self, state: Self::State, _facts: &[Self::Fact]) -> Self::State {
        state
    }

    /// Are these calls linearizable? `None` if only a search can tell. They are all on the same keys.
    fn shortcut(&self, _calls: &[View<'_, Self>]) -> Option<bool> {
        None
    }

    /// About how many bytes a state takes.
    fn state_bytes(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }

    /// The call in one phrase for people.
    fn show(&self, op: &Self::Op, ret: Option<&Self::Ret>) -> String {
        match ret {
            Some(ret) => format!("{op:?} -> {ret:?}"),
            None => format!("{op:?} -> ?"),
        }
    }
}

/// What a call touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touches<Key> {
    /// All of the state.
    Everything,
    /// These keys.
    Keys(Vec<Key>),
}

/// What a model promises about its facts; each level includes those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Insight {
    /// Facts are necessary, and may not be sufficient.
    None,
    /// A call with an answer is right exactly where its facts hold. If an operation is taken out of a sequence of right
    /// calls and could help no fact that others demand, the others stay right.
    Complete,
    /// Every call touches one key. If an operation without demands could help no fact that others demand, it can be moved
    /// to any later place up to the next operation that covers it, which leaves the same state with it and without it, and
    /// the others stay right.
    Deferrable,
}

/// A call as the judge takes it into account: weakened copies of a call are views of it.
#[derive(Debug)]
pub struct View<'a, M: Model + ?Sized> {
    /// What was asked for.
    pub op: &'a M::Op,
    /// The answer, if it is known.
    pub ret: Option<&'a M::Ret>,
    /// The earliest instant at which it can have taken effect.
    pub invoked: u64,
    /// The latest one; `None` if it may never have taken effect.
    pub returned: Option<u64>,
    /// Its place among the calls that are judged.
    pub call: usize,
}

impl<M: Model + ?Sized> Clone for View<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model + ?Sized> Copy for View<'_, M> {}

impl<M: Model + ?Sized> View<'_, M> {
    /// The same call as if it had been lost from view: it may take effect at any time at all, or never.
    pub(super) fn free(mut self) -> Self {
        (self.ret, self.invoked, self.returned) = (None, 0, None);
        self
    }

    /// The same call before it returned.
    pub(super) fn pending(mut self) -> Self {
        (self.ret, self.returned) = (None, None);
        self
    }
}
