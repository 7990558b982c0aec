//! Known-bad causal types, garbage collectors and means of delivery, each of which the laws must refuse, and for the right
//! reason. Beside them stand sound ones, which the same checks must accept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    marker::PhantomData,
};

use crdts::{
    Crdt, JoinError, Lattice, Object, ReplicaId, Update, UpdateError, Weight,
    causality::{
        Causal, CausalContext, CausalDigest, CausalSpec, CausalType, Change, Dot, DotFun, DotMap, DotSet, DotStore,
        Effect, Event, VersionVector,
    },
    laws::{
        Law, Violation,
        deliveries::{Delivery, check_all_deliveries_by, check_deliveries_by},
        histories::{Explored, Step, check_small_causal_histories},
    },
    replication::{CausalBuffer, DeliveryError, TaggedOp},
};

/// A set, and a register: what is written takes the place of all else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Things;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Do {
    Add(u64),
    Remove(u64),
    Write(u64),
    Read,
}
use Do::{Add, Remove, Write};

type Numbers = BTreeSet<u64>;

impl Object for Things {
    type Op = Do;
    type Ret = Numbers;
    type State = Numbers;

    const NAME: &'static str = "things";

    fn step(state: &mut Numbers, op: &Do) -> Numbers {
        match *op {
            Add(thing) => drop(state.insert(thing)),
            Remove(thing) => drop(state.remove(&thing)),
            Write(thing) => *state = Numbers::from([thing]),
            Do::Read => return state.clone(),
        }
        Numbers::new()
    }

    fn is_update(op: &Do) -> bool {
        *op != Do::Read
    }

    fn read() -> Do {
        Do::Read
    }

    fn op_name(_: &Do) -> &'static str {
        "do"
    }
}

const UNSUPPORTED: UpdateError = UpdateError::Unsupported { reason: "not an operation of this type" };

/// A thing is present if some addition of it was seen by no removal of it.
fn add_wins(history: &[Event<Do>]) -> Numbers {
    let present = history.iter().filter_map(|event| match event.op {
        Add(thing) => {
            let removed = history.iter().any(|later| later.op == Remove(thing) && later.saw(event));
            (!removed).then_some(thing)
        }
        _ => None,
    });
    present.collect()
}

/// A thing is present if it was added, and every removal of it was seen by some addition of it.
fn remove_wins(history: &[Event<Do>]) -> Numbers {
    let superseded =
        |removal: &Event<Do>, thing| history.iter().any(|event| event.op == Add(thing) && event.saw(removal));
    let present = history.iter().filter_map(|event| match event.op {
        Add(thing) => {
            history.iter().all(|removal| removal.op != Remove(thing) || superseded(removal, thing)).then_some(thing)
        }
        _ => None,
    });
    present.collect()
}

/// The register holds what was written and not overwritten by a write that had seen it.
fn siblings(history: &[Event<Do>]) -> Numbers {
    let latest = history.iter().filter(|event| !history.iter().any(|later| later.saw(event)));
    latest.filter_map(|event| if let Write(thing) = event.op { Some(thing) } else { None }).collect()
}

fn dots_of<S: DotStore>(store: Option<&S>) -> CausalContext {
    let mut dots = Vec::new();
    if let Some(store) = store {
        store.dots(&mut |dot| dots.push(dot));
    }
    dots.into_iter().collect()
}

type Effected<S> = Result<Effect<Numbers, S>, UpdateError>;

#[expect(clippy::unnecessary_wraps, reason = "what every branch of an update returns")]
fn changed<S>(added: S, removed: CausalContext) -> Effected<S> {
    Ok(Effect { ret: Numbers::new(), change: Some(Change { added, removed }) })
}

type Additions = DotMap<u64, DotSet>;

/// The observed-remove set: `tag` is the dot under which an addition is kept.
fn observed_remove(store: &mut Additions, op: Do, tag: Dot) -> Effected<Additions> {
    match op {
        Add(thing) => {
            let removed = dots_of(store.get(&thing));
            store.insert(thing, DotSet::single(tag));
            changed(DotMap::single(thing, DotSet::single(tag)), removed)
        }
        Remove(thing) => match store.take(&thing) {
            Some(gone) => changed(Additions::default(), dots_of(Some(&gone))),
            None => Ok(Effect::none(Numbers::new())),
        },
        Write(_) => Err(UNSUPPORTED),
        Do::Read => Ok(Effect::none(keys(store))),
    }
}

fn keys(store: &Additions) -> Numbers {
    store.iter().map(|(thing, _)| *thing).collect()
}

/// Additions are true and removals false, each in the place of what it saw.
type Marks = DotMap<u64, DotFun<bool>>;

fn unmarked(store: &Marks) -> Numbers {
    store.iter().filter(|(_, marks)| marks.iter().all(|(_, mark)| *mark)).map(|(thing, _)| *thing).collect()
}

fn mark(store: &mut Marks, dot: Dot, op: Do) -> Effected<Marks> {
    let (thing, mark) = match op {
        Add(thing) => (thing, true),
        Remove(thing) if store.get(&thing).is_some() => (thing, false),
        Remove(_) => return Ok(Effect::none(Numbers::new())),
        Write(_) => return Err(UNSUPPORTED),
        Do::Read => return Ok(Effect::none(unmarked(store))),
    };
    let removed = dots_of(store.get(&thing));
    store.insert(thing, DotFun::single(dot, mark));
    changed(DotMap::single(thing, DotFun::single(dot, mark)), removed)
}

fn write(store: &mut DotFun<u64>, dot: Dot, op: Do) -> Effected<DotFun<u64>> {
    match op {
        Write(thing) => {
            let removed = dots_of(Some(store));
            *store = DotFun::single(dot, thing);
            changed(store.clone(), removed)
        }
        Do::Read => Ok(Effect::none(contents(store))),
        Add(_) | Remove(_) => Err(UNSUPPORTED),
    }
}

fn contents(store: &DotFun<u64>) -> Numbers {
    store.iter().map(|(_, thing)| *thing).collect()
}

/// Defines a causal type by its functions of store, dot and operation, and its alleged specification.
macro_rules! causal_type {
    (
        $(#[$doc:meta])* $name:ident over $store:ty,
        update: $update:expr, value: $value:expr, specification: $specify:path $(, stable: $stable:expr)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        struct $name;

        impl CausalType for $name {
            type Store = $store;
            type Object = Things;

            const NAME: &'static str = "specimen";

            fn update(store: &mut $store, dot: Dot, op: &Do) -> Effected<$store> {
                let update: fn(&mut $store, Dot, Do) -> Effected<$store> = $update;
                update(store, dot, *op)
            }

            fn value(store: &$store) -> Numbers {
                let value: fn(&$store) -> Numbers = $value;
                value(store)
            }

            $(fn stable(store: &mut $store, stable: &VersionVector) -> bool {
                let collect: fn(&mut $store, &VersionVector) -> bool = $stable;
                collect(store, stable)
            })?
        }

        impl Specified for $name {
            fn specify(history: &[Event<Do>]) -> Numbers {
                $specify(history)
            }
        }
    };
}

trait Specified: CausalType<Object = Things> {
    fn specify(history: &[Event<Do>]) -> Numbers;
}

const SET: [Do; 2] = [Add(1), Remove(1)];
const REGISTER: [Do; 2] = [Write(1), Write(2)];

fn explore<W: Wrap>(ops: &[Do]) -> Result<Explored, Violation> {
    check_small_causal_histories::<Wrapped<W>>(ops, 3, 4)
}

fn accept<W: Wrap>(ops: &[Do]) {
    if let Err(violation) = explore::<W>(ops) {
        panic!("{violation}");
    }
}

fn refuse<W: Wrap>(ops: &[Do], expected: Law) {
    match explore::<W>(ops) {
        Ok(explored) => panic!("accepted after {explored:?}, although it breaks {expected:?}"),
        Err(violation) => assert_eq!(violation.law, expected, "{violation}"),
    }
}

// A causal type with, if any, a mistake in what the library does for all of them.

type State<W> = Causal<<W as Wrap>::Type>;
type Updated<C> = Result<Update<Numbers, C>, UpdateError>;

trait Wrap: Clone + PartialEq + Debug {
    type Type: Specified;

    fn update(state: &mut State<Self>, replica: ReplicaId, op: Do) -> Updated<State<Self>> {
        state.update(replica, &op)
    }

    fn try_join(state: &mut State<Self>, other: &State<Self>) -> Result<bool, JoinError> {
        state.try_join(other)
    }
}

impl<T: Specified> Wrap for T {
    type Type = T;
}

#[derive(Clone, PartialEq, Debug)]
struct Wrapped<W: Wrap>(State<W>, PhantomData<W>);

fn wrapped<W: Wrap>(state: State<W>) -> Wrapped<W> {
    Wrapped(state, PhantomData)
}

impl<W: Wrap> Lattice for Wrapped<W> {
    fn bottom() -> Self {
        wrapped(Lattice::bottom())
    }

    fn is_bottom(&self) -> bool {
        self.0.is_bottom()
    }

    fn join(&mut self, other: &Self) -> bool {
        self.0.join(&other.0)
    }

    fn try_join(&mut self, other: &Self) -> Result<bool, JoinError> {
        W::try_join(&mut self.0, &other.0)
    }

    fn le(&self, other: &Self) -> bool {
        self.0.le(&other.0)
    }

    fn decompose(&self) -> Vec<Self> {
        self.0.decompose().into_iter().map(wrapped).collect()
    }
}

impl<W: Wrap> Crdt for Wrapped<W> {
    type Object = Things;
    type Digest = CausalDigest;

    const NAME: &'static str = "specimen";

    fn update(&mut self, replica: ReplicaId, op: &Do) -> Updated<Self> {
        let Update { ret, delta } = W::update(&mut self.0, replica, *op)?;
        Ok(Update { ret, delta: wrapped(delta) })
    }

    fn value(&self) -> Numbers {
        self.0.value()
    }

    fn stable(&mut self, stable: &VersionVector) -> bool {
        self.0.stable(stable)
    }

    fn digest(&self) -> CausalDigest {
        self.0.digest()
    }

    fn delta_since(&self, digest: &CausalDigest) -> Self {
        wrapped(self.0.delta_since(digest))
    }

    fn progress(&self, visit: impl FnMut(ReplicaId, u64)) {
        self.0.progress(visit);
    }

    fn fold(&self, word: impl FnMut(u64)) {
        self.0.fold(word);
    }

    fn weight(&self) -> Weight {
        self.0.weight()
    }

    fn digest_bytes(digest: &CausalDigest) -> u64 {
        State::<W>::digest_bytes(digest)
    }

    fn fold_digest(digest: &CausalDigest, word: impl FnMut(u64)) {
        State::<W>::fold_digest(digest, word);
    }
}

impl<W: Wrap> CausalSpec for Wrapped<W> {
    fn specify(history: &[Event<Do>]) -> Numbers {
        W::Type::specify(history)
    }
}

// The sound ones.

causal_type! {
    AddWins over Additions,
    update: |store, dot, op| observed_remove(store, op, dot), value: keys, specification: add_wins
}

causal_type! {
    RemoveWins over Marks,
    update: mark, value: unmarked, specification: remove_wins
}

causal_type! {
    Register over DotFun<u64>,
    update: write, value: contents, specification: siblings
}

#[test]
fn the_frame_itself_is_sound() {
    accept::<AddWins>(&SET);
    accept::<RemoveWins>(&SET);
    accept::<Register>(&REGISTER);
}

// Mistakes in types.

causal_type! {
    /// Removes what it has not seen, too: a concurrent addition is gone.
    RemoveAll over Marks,
    update: mark, value: unmarked, specification: add_wins
}

#[test]
fn remove_of_all_instead_of_the_observed() {
    refuse::<RemoveAll>(&SET, Law::CausalSpecification);
}

causal_type! {
    /// Removes here, and does not tell which additions it removed.
    ForgetsRemoved over Additions,
    update: |store, dot, op| {
        let mut effect = observed_remove(store, op, dot)?;
        if let (Remove(_), Some(change)) = (op, &mut effect.change) {
            change.removed = CausalContext::default();
        }
        Ok(effect)
    },
    value: keys, specification: add_wins
}

#[test]
fn remove_that_forgets_its_dots() {
    refuse::<ForgetsRemoved>(&SET, Law::DeltaIsUpdate);
}

causal_type! {
    /// Keeps one of the siblings.
    DropsSiblings over DotFun<u64>,
    update: write, value: |store| contents(store).into_iter().next_back().into_iter().collect(), specification: siblings
}

#[test]
fn register_that_drops_siblings() {
    refuse::<DropsSiblings>(&REGISTER, Law::CausalSpecification);
}

causal_type! {
    /// Every addition of a replica has the same tag, so one that was removed comes back.
    ReusesTags over Additions,
    update: |store, dot, op| observed_remove(store, op, Dot::new(dot.replica, 1)), value: keys, specification: add_wins
}

#[test]
fn tags_used_twice() {
    refuse::<ReusesTags>(&SET, Law::UpdateInflates);
}

causal_type! {
    /// Drops removals that everybody knows, with all else about the thing; it is absent with them and without. But the delta
    /// of a later addition does not name them, and they win over it wherever they are still there.
    CollectsUnnamed over Marks,
    update: mark, value: unmarked, specification: remove_wins,
    stable: collect_stable
}

fn collect_stable(store: &mut Marks, stable: &VersionVector) -> bool {
    store.retain(|_, marks| {
        let all_stable = marks.iter().all(|(dot, _)| stable.contains(dot));
        !(all_stable && marks.iter().any(|(_, mark)| !mark))
    })
}

#[test]
fn tombstones_collected_that_later_deltas_do_not_name() {
    refuse::<CollectsUnnamed>(&SET, Law::StableKeepsValue);
}

causal_type! {
    /// Drops removals before everybody has heard of them: what was on its way brings the thing back.
    CollectsEarly over Marks,
    update: mark, value: unmarked, specification: remove_wins,
    stable: |store, _| store.retain(|_, marks| marks.iter().all(|(_, mark)| *mark))
}

#[test]
fn tombstones_collected_too_early() {
    refuse::<CollectsEarly>(&SET, Law::StableKeepsValue);
}

causal_type! {
    /// Drops stable removals and keeps the concurrent additions that they win against.
    CollectsHalf over Marks,
    update: mark, value: unmarked, specification: remove_wins,
    stable: |store, stable| {
        let keys: Vec<u64> = store.iter().map(|(thing, _)| *thing).collect();
        keys.into_iter().fold(false, |dropped, thing| store.edit(&thing, |marks| {
            let gone = marks.iter().filter(|(dot, mark)| !**mark && stable.contains(*dot));
            let gone: CausalContext = gone.map(|(dot, _)| dot).collect();
            marks.remove(&gone)
        }) | dropped)
    }
}

#[test]
fn tombstones_collected_without_what_they_hide() {
    // Six steps: an addition that both know, a removal and an addition that do not, and both told.
    let found = check_small_causal_histories::<Wrapped<CollectsHalf>>(&SET, 2, 6);
    assert_eq!(found.map_err(|violation| violation.law), Err(Law::StableKeepsValue));
}

causal_type! {
    /// Drops, and says that it did not.
    CollectsSilently over Marks,
    update: mark, value: unmarked, specification: remove_wins,
    stable: |store, stable| {
        collect_stable(store, stable);
        false
    }
}

#[test]
fn collection_that_is_not_reported() {
    refuse::<CollectsSilently>(&SET, Law::StableKeepsValue);
}

// Mistakes in what the library does for all causal types.

/// Defines a [`Wrap`] with a mistake.
macro_rules! wrap {
    ($(#[$doc:meta])* $name:ident: $type:ty { $($method:item)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug)]
        struct $name;

        impl Wrap for $name {
            type Type = $type;

            $($method)*
        }
    };
}

wrap! {
    /// Names each update twice.
    TwoDots: AddWins {
        fn update(state: &mut State<Self>, replica: ReplicaId, op: Do) -> Updated<State<Self>> {
            let mut update = state.update(replica, &op)?;
            if let Add(_) = op {
                update.delta.join(&state.update(replica, &op)?.delta);
            }
            Ok(update)
        }
    }
}

#[test]
fn two_dots_for_one_update() {
    refuse::<TwoDots>(&SET, Law::OneDotPerUpdate);
}

wrap! {
    /// All replicas write under one id: one dot names different updates.
    SharedId: AddWins {
        fn update(state: &mut State<Self>, _: ReplicaId, op: Do) -> Updated<State<Self>> {
            state.update(ReplicaId(0), &op)
        }
    }
}

#[test]
fn one_id_for_all() {
    refuse::<SharedId>(&SET, Law::ProgressCountsUpdates);
}

wrap! {
    /// Joins, and then finds fault.
    RefusesTooLate: Register {
        fn try_join(state: &mut State<Self>, other: &State<Self>) -> Result<bool, JoinError> {
            let tried = state.clone().try_join(other);
            let grew = state.join(other);
            tried.map(|_| grew)
        }
    }
}

#[test]
fn refusal_after_the_join() {
    // One dot with a smaller and a larger content: the larger one gets in.
    refuse::<RefusesTooLate>(&REGISTER, Law::TryJoinIsAtomic);
}

wrap! {
    /// Takes any difference for a contradiction.
    RefusesNews: Register {
        fn try_join(state: &mut State<Self>, other: &State<Self>) -> Result<bool, JoinError> {
            match other.context().difference(state.context()).dots().next() {
                Some(dot) => Err(JoinError::Contradiction { dot }),
                None => state.try_join(other),
            }
        }
    }
}

#[test]
fn refusal_of_honest_states() {
    refuse::<RefusesNews>(&REGISTER, Law::TryJoinIsJoin);
}

// Mistakes in delivery.

type Ops = Vec<TaggedOp<Wrapped<AddWins>>>;

/// Something that delivers, with one mistake.
trait Misdelivers: Clone + PartialEq + Debug + Default {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops;
}

#[derive(Clone, PartialEq, Debug, Default)]
struct By<M>(M);

impl<M: Misdelivers> Delivery<Wrapped<AddWins>> for By<M> {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Result<Ops, DeliveryError> {
        Ok(self.0.receive(op))
    }
}

/// Two replicas, the second of which follows the first.
const CHAIN: [Step<Do>; 4] = [
    Step::Update { at: 0, op: Add(1) },
    Step::Update { at: 0, op: Add(2) },
    Step::Merge { into: 1, from: 0 },
    Step::Update { at: 1, op: Remove(1) },
];

fn misdelivered<M: Misdelivers>() -> (Result<(), Violation>, Result<(), Violation>) {
    let exhaustive = check_all_deliveries_by::<Wrapped<AddWins>, _>(2, &CHAIN, By::<M>::default());
    (exhaustive, check_deliveries_by::<Wrapped<AddWins>, _>(2, &CHAIN, &[2, 1, 0, 0], By::<M>::default()))
}

fn refuse_delivery<M: Misdelivers>(expected: Law) {
    let (exhaustive, long) = misdelivered::<M>();
    assert_eq!(exhaustive.map_err(|violation| violation.law), Err(expected));
    assert!(long.is_err());
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Sound(CausalBuffer<Wrapped<AddWins>>);

impl Misdelivers for Sound {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        self.0.receive(op).map(|receipt| receipt.delivered).unwrap_or_default()
    }
}

#[test]
fn causal_delivery_is_sound() {
    assert_eq!(misdelivered::<Sound>(), (Ok(()), Ok(())));
}

/// Delivers what comes, when it comes, but nothing twice.
#[derive(Clone, PartialEq, Debug, Default)]
struct AtOnce(BTreeSet<Dot>);

impl Misdelivers for AtOnce {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        let new = self.0.insert(Dot::new(op.dots().replica, op.dots().first));
        if new { vec![op] } else { Vec::new() }
    }
}

#[test]
fn delivery_without_causal_order() {
    refuse_delivery::<AtOnce>(Law::CausalDelivery);
}

/// Keeps the order of each replica's ops, and not that between replicas.
#[derive(Clone, PartialEq, Debug, Default)]
struct InFifoOrder {
    delivered: BTreeMap<ReplicaId, u64>,
    early: BTreeMap<(ReplicaId, u64), TaggedOp<Wrapped<AddWins>>>,
}

impl Misdelivers for InFifoOrder {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        let replica = op.dots().replica;
        let last = self.delivered.entry(replica).or_default();
        if op.dots().first > *last {
            self.early.insert((replica, op.dots().first), op);
        }
        let mut released = Vec::new();
        while let Some(op) = self.early.remove(&(replica, *last + 1)) {
            *last += 1;
            released.push(op);
        }
        released
    }
}

#[test]
fn delivery_in_the_order_of_each_replica_only() {
    refuse_delivery::<InFifoOrder>(Law::CausalDelivery);
}

/// Refuses early ops, and nobody sends them again.
#[derive(Clone, PartialEq, Debug)]
struct DropsEarly(CausalBuffer<Wrapped<AddWins>>);

impl Default for DropsEarly {
    fn default() -> Self {
        Self(CausalBuffer::new(0))
    }
}

impl Misdelivers for DropsEarly {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        self.0.receive(op).map(|receipt| receipt.delivered).unwrap_or_default()
    }
}

#[test]
fn early_ops_lost() {
    refuse_delivery::<DropsEarly>(Law::CausalDelivery);
}

/// Delivers again what it knows.
#[derive(Clone, PartialEq, Debug, Default)]
struct Repeats(Sound);

impl Misdelivers for Repeats {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        let released = self.0.receive(op.clone());
        if released.is_empty() && self.0.0.early() == 0 { vec![op] } else { released }
    }
}

#[test]
fn repeated_delivery() {
    refuse_delivery::<Repeats>(Law::CausalDelivery);
}

/// Delivers the names of ops that had to wait, without what they did.
#[derive(Clone, PartialEq, Debug, Default)]
struct LosesContent(Sound);

impl Misdelivers for LosesContent {
    fn receive(&mut self, op: TaggedOp<Wrapped<AddWins>>) -> Ops {
        let released = self.0.receive(op.clone());
        let emptied = released.into_iter().map(|released| {
            if released == op {
                return Ok(released);
            }
            TaggedOp::new(released.dots().replica, released.past().clone(), Wrapped::bottom())
        });
        emptied.filter_map(Result::ok).collect()
    }
}

#[test]
fn ops_that_lose_their_content() {
    refuse_delivery::<LosesContent>(Law::OpsAreStates);
}
