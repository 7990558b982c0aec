//! Known-bad types, each of which the laws must refuse, and for the right reason.
//!
//! A specimen is a PN-counter with one [`Defect`], or a small type of its own where the mistake is in the state.

use std::{collections::BTreeMap, fmt::Debug, marker::PhantomData};

use crdts::{
    Crdt, Lattice, PnCounter, ReplicaId, Update, UpdateError, Weight,
    laws::{Law, histories::check_small_histories, states::check_update},
    objects::counter::{
        Counter,
        CounterOp::{self, Add, Read},
        CounterRet,
    },
};

type Ret = Update<CounterRet, PnCounter>;

/// One mistake; all else is right.
trait Defect: Clone + PartialEq + Debug {
    fn join(state: &mut PnCounter, other: &PnCounter) -> bool {
        state.join(other)
    }

    fn is_bottom(state: &PnCounter) -> bool {
        state.is_bottom()
    }

    fn le(state: &PnCounter, other: &PnCounter) -> bool {
        state.le(other)
    }

    fn decompose(state: &PnCounter) -> Vec<PnCounter> {
        state.decompose()
    }

    fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
        state.update(replica, &op)
    }

    fn digest(state: &PnCounter) -> PnCounter {
        state.digest()
    }

    fn delta_since(state: &PnCounter, digest: &PnCounter) -> PnCounter {
        state.delta_since(digest)
    }

    fn progress(state: &PnCounter, visit: impl FnMut(ReplicaId, u64)) {
        state.progress(visit);
    }

    fn fold(state: &PnCounter, word: impl FnMut(u64)) {
        state.fold(word);
    }

    fn fold_digest(digest: &PnCounter, word: impl FnMut(u64)) {
        PnCounter::fold_digest(digest, word);
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Broken<D> {
    state: PnCounter,
    defect: PhantomData<D>,
}

fn broken<D>(state: PnCounter) -> Broken<D> {
    Broken { state, defect: PhantomData }
}

impl<D: Defect> Lattice for Broken<D> {
    fn bottom() -> Self {
        broken(PnCounter::bottom())
    }

    fn is_bottom(&self) -> bool {
        D::is_bottom(&self.state)
    }

    fn join(&mut self, other: &Self) -> bool {
        D::join(&mut self.state, &other.state)
    }

    fn le(&self, other: &Self) -> bool {
        D::le(&self.state, &other.state)
    }

    fn decompose(&self) -> Vec<Self> {
        D::decompose(&self.state).into_iter().map(broken).collect()
    }
}

impl<D: Defect> Crdt for Broken<D> {
    type Object = Counter;
    type Digest = PnCounter;

    const NAME: &'static str = "broken";

    fn update(&mut self, replica: ReplicaId, op: &CounterOp) -> Result<Update<CounterRet, Self>, UpdateError> {
        let Update { ret, delta } = D::update(&mut self.state, replica, *op)?;
        Ok(Update { ret, delta: broken(delta) })
    }

    fn value(&self) -> i128 {
        self.state.value()
    }

    fn digest(&self) -> PnCounter {
        D::digest(&self.state)
    }

    fn delta_since(&self, digest: &PnCounter) -> Self {
        broken(D::delta_since(&self.state, digest))
    }

    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        D::progress(&self.state, visit);
    }

    fn fold(&self, word: impl FnMut(u64)) {
        D::fold(&self.state, word);
    }

    fn weight(&self) -> Weight {
        self.state.weight()
    }

    fn digest_bytes(digest: &PnCounter) -> u64 {
        PnCounter::digest_bytes(digest)
    }

    fn fold_digest(digest: &PnCounter, word: impl FnMut(u64)) {
        D::fold_digest(digest, word);
    }
}

/// Defines a specimen and the test that the laws refuse it.
macro_rules! specimen {
    ($(#[$doc:meta])* $test:ident: $name:ident breaks $law:ident { $($method:item)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug)]
        struct $name;

        impl Defect for $name {
            $($method)*
        }

        #[test]
        fn $test() {
            refuse::<Broken<$name>>(Law::$law);
        }
    };
}

fn refuse<C: Crdt<Object = Counter>>(expected: Law) {
    let found = check_small_histories::<C>(&[Add(1), Add(-2)], 3, 4);
    match found {
        Ok(explored) => panic!("accepted after {explored:?}, although it breaks {expected:?}"),
        Err(violation) => assert_eq!(violation.law, expected, "{violation}"),
    }
}

#[test]
fn the_frame_itself_is_sound() {
    #[derive(Clone, PartialEq, Debug)]
    struct None;
    impl Defect for None {}
    assert!(check_small_histories::<Broken<None>>(&[Add(1), Add(-2)], 3, 4).is_ok());
}

specimen! {
    /// Adds the counts up: every repetition counts again.
    merge_by_sum: MergeBySum breaks Idempotent {
        fn join(state: &mut PnCounter, other: &PnCounter) -> bool {
            for (half, sign) in [(other.increments(), 1), (other.decrements(), -1)] {
                for (replica, count) in half.counts() {
                    drop(state.update(replica, &Add(sign * count.cast_signed())));
                }
            }
            !other.is_bottom()
        }
    }
}

specimen! {
    /// Takes what arrives last.
    merge_by_last_writer: LastWriterWins breaks Commutative {
        fn join(state: &mut PnCounter, other: &PnCounter) -> bool {
            let grew = state != other;
            state.clone_from(other);
            grew
        }
    }
}

specimen! {
    /// Takes the side with the larger value, whole: a concurrent update on the other side is gone.
    merge_by_larger_value: LargerValueWins breaks Commutative {
        fn join(state: &mut PnCounter, other: &PnCounter) -> bool {
            let grew = other.value() > state.value();
            if grew || state.is_bottom() {
                state.clone_from(other);
            }
            grew
        }
    }
}

specimen! {
    /// Ranks states by their totals: a state is then below others that do not contain it.
    order_by_total: OrderByTotal breaks OrderIsJoins {
        fn le(state: &PnCounter, other: &PnCounter) -> bool {
            state.increments().total() <= other.increments().total() && state.decrements().total() <= other.decrements().total()
        }
    }
}

specimen! {
    /// Always says that it learnt something: gossip that stops on news would never stop.
    always_news: AlwaysNews breaks JoinReportsGrowth {
        fn join(state: &mut PnCounter, other: &PnCounter) -> bool {
            state.join(other);
            true
        }
    }
}

specimen! {
    /// Takes a value of zero for an empty state.
    zero_is_bottom: ZeroIsBottom breaks BottomIsNeutral {
        fn is_bottom(state: &PnCounter) -> bool {
            state.value() == 0
        }
    }
}

specimen! {
    /// Sends the change, where the state is what must be sent.
    delta_is_the_change: DeltaIsTheChange breaks DeltaIsUpdate {
        fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
            let ret = state.update(replica, &op)?.ret;
            let delta = PnCounter::bottom().update(replica, &op)?.delta;
            Ok(Update { ret, delta })
        }
    }
}

specimen! {
    /// Sends only the half that changed: a replica that missed the other half reports progress that it has not made.
    delta_of_one_half: DeltaOfOneHalf breaks ProgressIsExact {
        fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
            let before = state.clone();
            let ret = state.update(replica, &op)?.ret;
            Ok(Update { ret, delta: state.delta_since(&before) })
        }
    }
}

specimen! {
    /// Answers a query with news for peers.
    query_with_a_delta: QueryWithDelta breaks QueryKeepsState {
        fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
            let mut update = state.update(replica, &op)?;
            if op == Read {
                update.delta.clone_from(state);
            }
            Ok(update)
        }
    }
}

specimen! {
    /// Drops every second unit.
    loses_units: LosesUnits breaks SequentialSpecification {
        fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
            state.update(replica, &if op == Add(-2) { Add(-1) } else { op })
        }
    }
}

specimen! {
    /// Changes the state before it refuses.
    refuses_too_late: RefusesTooLate breaks ErrorKeepsState {
        fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
            let update = state.update(replica, &op)?;
            if state.value() < 0 { Err(UpdateError::Overflow) } else { Ok(update) }
        }
    }
}

specimen! {
    /// Summarizes nothing: peers send everything, every time.
    empty_digest: EmptyDigest breaks DeltaLeast {
        fn digest(_: &PnCounter) -> PnCounter {
            PnCounter::bottom()
        }
    }
}

specimen! {
    /// Sends nothing when the digest's total is as large.
    delta_by_total: DeltaByTotal breaks DeltaSufficient {
        fn delta_since(state: &PnCounter, digest: &PnCounter) -> PnCounter {
            if digest.value() == state.value() { PnCounter::bottom() } else { state.delta_since(digest) }
        }
    }
}

specimen! {
    /// Leaves out the decrements.
    decomposition_of_one_half: DecompositionOfOneHalf breaks DecompositionJoinsBack {
        fn decompose(state: &PnCounter) -> Vec<PnCounter> {
            state.decompose().into_iter().filter(|part| part.decrements().is_bottom()).collect()
        }
    }
}

specimen! {
    /// Does not take states apart. Such a part is its own decomposition; only other states show that it has parts.
    undecomposed: Undecomposed breaks DecompositionIrreducible {
        fn decompose(state: &PnCounter) -> Vec<PnCounter> {
            if state.is_bottom() { Vec::new() } else { vec![state.clone()] }
        }
    }
}

specimen! {
    /// Names every part twice.
    decomposition_with_repetition: DecompositionWithRepetition breaks DecompositionIrredundant {
        fn decompose(state: &PnCounter) -> Vec<PnCounter> {
            let parts = state.decompose();
            if parts.len() < 2 { parts } else { parts.iter().chain(&parts).cloned().collect() }
        }
    }
}

specimen! {
    /// Hashes the value: different states look the same.
    fold_of_the_value: FoldOfTheValue breaks FoldIsFaithful {
        fn fold(state: &PnCounter, mut word: impl FnMut(u64)) {
            word(state.value() as u64);
        }
    }
}

specimen! {
    /// Hashes half of a digest.
    fold_of_half_a_digest: FoldOfHalfADigest breaks FoldIsFaithful {
        fn fold_digest(digest: &PnCounter, word: impl FnMut(u64)) {
            digest.increments().fold(word);
        }
    }
}

specimen! {
    /// Reports additions only.
    progress_of_one_half: ProgressOfOneHalf breaks ProgressCountsUpdates {
        fn progress(state: &PnCounter, visit: impl FnMut(ReplicaId, u64)) {
            state.increments().progress(visit);
        }
    }
}

/// What the other small types share: no progress worth the name, and no encoding.
macro_rules! crdt_of_a_number {
    ($type:ty) => {
        type Object = Counter;
        type Digest = $type;

        const NAME: &'static str = "broken";

        fn digest(&self) -> Self {
            self.clone()
        }

        fn delta_since(&self, digest: &Self) -> Self {
            if self.le(digest) { Self::bottom() } else { self.clone() }
        }

        fn weight(&self) -> Weight {
            Weight::default()
        }

        fn digest_bytes(_: &Self) -> u64 {
            0
        }

        fn fold_digest(digest: &Self, word: impl FnMut(u64)) {
            digest.fold(word);
        }
    };
}

/// One signed number for each replica, joined by maximum: a subtraction is no inflation and is forgotten.
#[derive(Clone, PartialEq, Debug, Default)]
struct SignedMax(BTreeMap<ReplicaId, i64>);

impl Lattice for SignedMax {
    fn bottom() -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.0.is_empty()
    }

    fn join(&mut self, other: &Self) -> bool {
        let before = self.clone();
        for (&replica, &count) in &other.0 {
            let mine = self.0.entry(replica).or_insert(count);
            *mine = count.max(*mine);
        }
        *self != before
    }

    fn le(&self, other: &Self) -> bool {
        self.0.iter().all(|(replica, count)| other.0.get(replica).is_some_and(|theirs| count <= theirs))
    }

    fn decompose(&self) -> Vec<Self> {
        self.0.iter().map(|(&replica, &count)| Self(BTreeMap::from([(replica, count)]))).collect()
    }
}

impl Crdt for SignedMax {
    crdt_of_a_number!(Self);

    fn update(&mut self, replica: ReplicaId, op: &CounterOp) -> Result<Update<CounterRet, Self>, UpdateError> {
        let Add(amount) = op else {
            return Ok(Update { ret: CounterRet::Total(self.value()), delta: Self::bottom() });
        };
        let count = self.0.entry(replica).or_insert(0);
        *count += amount;
        let delta = Self(BTreeMap::from([(replica, *count)]));
        Ok(Update { ret: CounterRet::Added, delta })
    }

    fn value(&self) -> i128 {
        self.0.values().map(|&count| i128::from(count)).sum()
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        self.0.iter().for_each(|(&replica, &count)| visit(replica, count.unsigned_abs()));
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        for (replica, count) in &self.0 {
            word(u64::from(replica.0));
            word(count.cast_unsigned());
        }
    }
}

#[test]
fn pn_counter_as_one_signed_maximum() {
    refuse::<SignedMax>(Law::UpdateInflates);
}

/// One number for the whole cluster, joined by maximum: a lattice with inflating updates whose replicas converge, and
/// which loses all but one of concurrent additions.
#[derive(Clone, PartialEq, Debug, Default)]
struct SharedMax(u64);

impl Lattice for SharedMax {
    fn bottom() -> Self {
        Self::default()
    }

    fn is_bottom(&self) -> bool {
        self.0 == 0
    }

    fn join(&mut self, other: &Self) -> bool {
        let grew = other.0 > self.0;
        self.0 = self.0.max(other.0);
        grew
    }

    fn le(&self, other: &Self) -> bool {
        self.0 <= other.0
    }

    fn decompose(&self) -> Vec<Self> {
        if self.is_bottom() { Vec::new() } else { vec![self.clone()] }
    }
}

impl Crdt for SharedMax {
    crdt_of_a_number!(Self);

    fn update(&mut self, _: ReplicaId, op: &CounterOp) -> Result<Update<CounterRet, Self>, UpdateError> {
        match op {
            Add(amount) => {
                let amount =
                    u64::try_from(*amount).map_err(|_| UpdateError::Unsupported { reason: "negative amount" })?;
                self.0 = self.0.checked_add(amount).ok_or(UpdateError::Overflow)?;
                Ok(Update { ret: CounterRet::Added, delta: self.clone() })
            }
            Read => Ok(Update { ret: CounterRet::Total(self.value()), delta: Self::bottom() }),
        }
    }

    fn value(&self) -> i128 {
        i128::from(self.0)
    }

    fn progress(&self, mut visit: impl FnMut(ReplicaId, u64)) {
        (0..3).for_each(|replica| visit(ReplicaId(replica), self.0));
    }

    fn fold(&self, mut word: impl FnMut(u64)) {
        word(self.0);
    }
}

#[test]
fn one_maximum_for_the_whole_cluster() {
    refuse::<SharedMax>(Law::NothingLost);
}

/// Stops at the end of the range and says that it added.
#[derive(Clone, PartialEq, Debug)]
struct Saturates;

impl Defect for Saturates {
    fn update(state: &mut PnCounter, replica: ReplicaId, op: CounterOp) -> Result<Ret, UpdateError> {
        match state.update(replica, &op) {
            Err(UpdateError::Overflow) => Ok(Update { ret: CounterRet::Added, delta: PnCounter::bottom() }),
            result => result,
        }
    }
}

#[test]
fn silent_loss_at_overflow() {
    let mut counter = Broken::<Saturates>::bottom();
    let mut judged = Ok(None);
    for _ in 0..4 {
        judged = check_update(&mut counter, ReplicaId(0), &Add(i64::MAX));
    }
    assert_eq!(judged.map_err(|violation| violation.law), Err(Law::SequentialSpecification));
}
