//! A flawed data type and the right one, side by side.
//!
//! Both clusters take the same updates and the same joins; a test says where they should differ.

use std::collections::BTreeMap;

use crdts::{clock::ReplicaId, encoding::Encode, lattice::Crdt, laws::states, object::Object};
use proptest::prelude::*;

use super::{catalogue::Flaw, specimen::Bend};

/// Replicas of both types.
#[derive(Clone, Debug)]
pub(super) struct Twins<F, T> {
    replicas: u32,
    flawed: Vec<F>,
    right: Vec<T>,
    /// How often each replica was restored.
    incarnations: Vec<u32>,
}

impl<F: Crdt + Bend + Encode, T: Crdt<Object = F::Object>> Twins<F, T> {
    pub(super) fn new(replicas: u32, flaw: Option<Flaw>) -> Self {
        let mut flawed = vec![F::bottom(); replicas as usize];
        if let Some(flaw) = flaw {
            for state in &mut flawed {
                state.bend(flaw, replicas);
            }
        }
        Self { replicas, flawed, right: vec![T::bottom(); replicas as usize], incarnations: vec![0; replicas as usize] }
    }

    /// Performs an operation, and returns what both answer.
    pub(super) fn update(
        &mut self,
        at: usize,
        op: &<F::Object as Object>::Op,
    ) -> (<F::Object as Object>::Ret, <F::Object as Object>::Ret) {
        let writer = ReplicaId(at as u32 + self.incarnations[at] * self.replicas);
        let flawed = self.flawed[at].update(writer, op).expect("an operation within all ranges");
        let right = self.right[at].update(writer, op).expect("an operation within all ranges");
        (flawed.ret, right.ret)
    }

    /// As [`Twins::update`], while the replica's clock shows this.
    pub(super) fn update_at(&mut self, at: usize, clock_ns: i64, op: &<F::Object as Object>::Op) {
        self.flawed[at].set_clock(clock_ns);
        self.update(at, op);
    }

    /// One replica sends its state to another.
    pub(super) fn join(&mut self, from: usize, to: usize) {
        let (flawed, right) = (self.flawed[from].clone(), self.right[from].clone());
        self.flawed[to].join(&flawed);
        self.right[to].join(&right);
    }

    /// Two replicas compare digests, and each sends what the other seems to miss.
    pub(super) fn exchange(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            let missing = self.flawed[from].delta_since(&self.flawed[to].digest());
            self.flawed[to].join(&missing);
            let missing = self.right[from].delta_since(&self.right[to].digest());
            self.right[to].join(&missing);
        }
    }

    /// A replica comes back after a crash as it was then, under the next identity.
    pub(super) fn restore(&mut self, at: usize, then: &Self) {
        self.flawed[at] = then.flawed[at].clone();
        self.right[at] = then.right[at].clone();
        self.incarnations[at] += 1;
    }

    /// Both types show the same.
    pub(super) fn assert_equal(&self, at: usize) {
        assert_eq!(self.flawed[at].value(), self.right[at].value());
    }

    /// What the flawed type shows, and what it should show.
    pub(super) fn assert_values<S: Into<<F::Object as Object>::State>>(&self, at: usize, flawed: S, right: S) {
        assert_eq!(self.flawed[at].value(), flawed.into(), "the flawed one");
        assert_eq!(self.right[at].value(), right.into(), "the right one");
    }

    pub(super) fn flawed(&self, at: usize) -> <F::Object as Object>::State {
        self.flawed[at].value()
    }

    pub(super) fn right(&self, at: usize) -> <F::Object as Object>::State {
        self.right[at].value()
    }

    /// Do the flawed types of two replicas differ though both received the same, when the joins are those from `joins[0]` to
    /// `joins[1]`, and from `joins[2]` to `joins[3]`, from the states as they are? The right ones must not.
    pub(super) fn same_updates_differ(&self, joins: [usize; 4]) -> bool {
        let received = |state: &F| {
            let mut received = BTreeMap::new();
            state.progress(|replica, count| received.extend([(replica, count)]));
            received
        };
        let (mut one, mut other) = (self.clone(), self.clone());
        one.join(joins[0], joins[1]);
        other.join(joins[2], joins[3]);
        let (one_at, other_at) = (joins[1], joins[3]);
        assert_eq!(received(&one.flawed[one_at]), received(&other.flawed[other_at]), "the same updates");
        assert_eq!(one.right(one_at), other.right(other_at), "the right ones agree");
        one.flawed(one_at) != other.flawed(other_at)
    }
}

/// What happens in a random history of three replicas.
#[derive(Clone, Debug)]
pub(super) enum Move<Op> {
    Update(usize, Op),
    Join(usize, usize),
}

/// Random histories.
pub(super) fn moves<Op: Clone + std::fmt::Debug>(
    op: impl Strategy<Value = Op> + Clone + 'static,
) -> impl Strategy<Value = Vec<Move<Op>>> {
    let one = prop_oneof![
        (0..3_usize, op).prop_map(|(at, op)| Move::Update(at, op)),
        (0..3_usize, 0..3_usize).prop_map(|(from, to)| Move::Join(from, to)),
    ];
    prop::collection::vec(one, 1..40)
}

/// Without a mistake of its own, a flawed type answers and shows what the right one does, keeps the laws, and can be encoded.
pub(super) fn check_flawless<F, T>(moves: &[Move<<F::Object as Object>::Op>])
where
    F: Crdt + Bend + Encode,
    T: Crdt<Object = F::Object>,
{
    let mut twins = Twins::<F, T>::new(3, Some(Flaw::RoamingSession));
    for step in moves {
        match step {
            Move::Update(at, op) => {
                let (flawed, right) = twins.update(*at, op);
                assert_eq!(flawed, right, "{op:?}");
                twins.assert_equal(*at);
            }
            Move::Join(from, to) => {
                twins.join(*from, *to);
                twins.assert_equal(*to);
            }
        }
    }
    let [a, b, c] = [0, 1, 2].map(|at| &twins.flawed[at]);
    states::check_joins(a, b, c).expect("the laws of joins");
    for state in [a, b, c] {
        states::check_encoding(state).expect("an encoding that reads back");
        states::check_observation(state, a).expect("faithful observations");
    }
}
