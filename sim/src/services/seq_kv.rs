//! `seq-kv`: a sequentially consistent key-value store, and really no more than that.
//!
//! There is one order of all changes, over all keys. Every change makes a new state of the whole map. A client (each
//! endpoint that sends requests is one) has a position in that order, which never goes back. A request is first tried
//! at a state drawn at random between the client's position and the newest state. If it would change nothing there, it
//! is answered from there and the client moves to that position: this goes for reads, for swaps that fail, and for
//! writes of the value that is there already. Otherwise it is made in the newest state, and the client moves to the
//! state after it. So all clients see the changes in one order, each sees its own, and none sees time go back (Lamport
//! 1979, "How to make a multiprocessor computer that correctly executes multiprocess programs"); but what a client sees
//! may be old.
//!
//! ```text
//! n1   cas 0 -> 1 ok   cas 1 -> 2 ok
//! n2                                   read -> 0   read -> 1   read -> 1   read -> 2      never back to 0 or 1
//! ```
//!
//! A state can be served until `staleness_ns_max` after it was superseded: replicas that only read see everything in
//! the end. The store asks to be woken when a state ceases to be served.
//!
//! **Invariant.** A run of equal values is kept once: a key has a list of values with the number of the state since
//! which each holds. Memory grows with changes that are still served, not with states times keys.
//!
//! What is deliberately absent: a ring of a fixed number of states. With such a ring a client that lags behind must be
//! moved forward, and an index that wraps around would serve it states that go back in time.

use std::collections::{BTreeMap, VecDeque};

use super::{Entry, KEY_BYTES, Outcome, Value, fold_entry, key_of, lineage_after};
use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::LineageId,
    service::{Key, KvReply, KvRequest, Service, ServiceContext, Visible},
    time::Time,
};

/// A value of a key, from one state until the next run.
#[derive(Clone, Debug)]
struct Run<V> {
    since: u64,
    entry: Entry<V>,
}

/// What the store knows of a client.
#[derive(Clone, Copy, Debug, Default)]
struct Session {
    /// The number of the state that the client has seen; it never falls.
    position: u64,
    /// How many of its requests were served; addresses the draws.
    requests: u64,
}

/// A state that was superseded, and may still be served.
#[derive(Clone, Copy, Debug)]
struct Superseded {
    at: Time,
    /// The key in which the next state differs.
    key: Key,
}

/// A sequentially consistent store. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct SeqKv<V> {
    staleness_ns_max: u64,
    /// The number of the oldest state that may be served. The first state has the number 0 and no keys.
    oldest: u64,
    /// The states from `oldest` on, without the newest.
    superseded: VecDeque<Superseded>,
    /// The runs of every key, in order; only the first may have begun before the oldest state.
    runs: BTreeMap<Key, VecDeque<Run<V>>>,
    sessions: BTreeMap<NodeId, Session>,
}

impl<V: Value> SeqKv<V> {
    /// An empty store whose states are served until this long after they were superseded.
    pub fn new(staleness_ns_max: u64) -> Self {
        Self {
            staleness_ns_max,
            oldest: 0,
            superseded: VecDeque::new(),
            runs: BTreeMap::new(),
            sessions: BTreeMap::new(),
        }
    }

    fn newest_state(&self) -> u64 {
        self.oldest + self.superseded.len() as u64
    }

    /// The entry of a key in a state that may be served.
    fn entry(&self, key: Key, state: u64) -> Option<&Entry<V>> {
        let runs = self.runs.get(&key)?;
        let after = runs.partition_point(|run| run.since <= state);
        Some(&runs[after.checked_sub(1)?].entry)
    }

    /// The oldest state that the client may be served.
    fn oldest_for(&self, client: NodeId) -> u64 {
        self.sessions.get(&client).map_or(0, |session| session.position).max(self.oldest)
    }

    /// Gives up states that are too old, and asks to be woken when the next one is.
    fn expire(&mut self, cx: &mut ServiceContext<'_>) {
        while let Some(first) = self.superseded.front() {
            let expires_at = first.at + self.staleness_ns_max;
            if cx.now < expires_at {
                if expires_at != Time::NEVER {
                    cx.wake_at = Some(expires_at);
                }
                return;
            }
            let key = first.key;
            self.superseded.pop_front();
            self.oldest += 1;
            let oldest = self.oldest;
            let runs = self.runs.get_mut(&key).expect("a key that a state differs in has runs");
            if runs.get(1).is_some_and(|second| second.since <= oldest) {
                runs.pop_front();
            }
        }
    }

    /// Makes a new state in which `key` has this entry.
    fn push(&mut self, key: Key, entry: Entry<V>, now: Time) {
        self.superseded.push_back(Superseded { at: now, key });
        let since = self.newest_state();
        self.runs.entry(key).or_default().push_back(Run { since, entry });
    }

    /// Ghost: an update took effect in `state` without changing the value there. It belongs to the updates behind the
    /// newest value, unless it was a blind write and has been overwritten since.
    fn note_unchanged(&mut self, key: Key, state: u64, builds_on: bool, op: Option<OpId>, cx: &mut ServiceContext<'_>) {
        let Some(last) = self.runs.get_mut(&key).and_then(VecDeque::back_mut) else { return };
        let lineage = lineage_after(last.entry.lineage, builds_on, op, cx.lineage, &mut cx.effects);
        if op.is_some() && (builds_on || last.since <= state) {
            last.entry.lineage = lineage;
        }
    }

    /// Tries the request in `state`. `None`: it would change something there, and that is not the newest state.
    fn attempt(&mut self, request: &KvRequest<V>, state: u64, cx: &mut ServiceContext<'_>) -> Option<KvReply<V>> {
        let key = key_of(request);
        let current = self.entry(key, state);
        match Outcome::of(request, current) {
            Outcome::Answer(reply) => Some(reply),
            Outcome::Set { value, builds_on, op, reply } => {
                if current.is_some_and(|entry| entry.value == value) {
                    self.note_unchanged(key, state, builds_on, op, cx);
                    return Some(reply);
                }
                if state != self.newest_state() {
                    return None;
                }
                let before = current.map_or(LineageId::ROOT, |entry| entry.lineage);
                let lineage = lineage_after(before, builds_on, op, cx.lineage, &mut cx.effects);
                self.push(key, Entry { value, lineage }, cx.now);
                Some(reply)
            }
        }
    }
}

impl<V: Value> Service<V> for SeqKv<V> {
    fn handle(&mut self, from: NodeId, request: KvRequest<V>, cx: &mut ServiceContext<'_>) -> KvReply<V> {
        self.expire(cx);
        let (oldest, newest) = (self.oldest_for(from), self.newest_state());
        let session = self.sessions.entry(from).or_default();
        let state = oldest + cx.draws.below(u64::from(from.0), session.requests, newest - oldest + 1);
        session.requests += 1;
        let (reply, position) = match self.attempt(&request, state, cx) {
            // In the newest state the request may just have made a newer one.
            Some(reply) if state == newest => (reply, self.newest_state()),
            Some(reply) => (reply, state),
            None => {
                let reply = self.attempt(&request, newest, cx).expect("anything can be done in the newest state");
                (reply, self.newest_state())
            }
        };
        self.sessions.entry(from).or_default().position = position;
        // A new state may be the first that is superseded.
        self.expire(cx);
        reply
    }

    fn on_wake(&mut self, cx: &mut ServiceContext<'_>) {
        self.expire(cx);
    }

    /// One answer is possible when the newest value holds since before all states that the client may be served. A key
    /// that was created with the default value looks the same before.
    fn visible(&self, from: NodeId, key: Key) -> Option<Visible> {
        let Some(runs) = self.runs.get(&key) else { return Some(Entry::<V>::missing()) };
        let last = runs.back()?;
        let always = last.since <= self.oldest_for(from) || (runs.len() == 1 && last.entry.value == V::default());
        always.then(|| last.entry.visible())
    }

    fn newest(&self, key: Key) -> V {
        self.entry(key, self.newest_state()).map(|entry| entry.value.clone()).unwrap_or_default()
    }

    fn fold(&self, fold: &mut Fold) {
        fold.words(self.oldest, self.newest_state());
        for (key, runs) in &self.runs {
            for run in runs {
                fold_entry(fold, *key, &run.entry);
                fold.word(run.since);
            }
        }
        for (client, session) in &self.sessions {
            fold.words(u64::from(client.0), session.position);
        }
    }

    /// The newest state.
    fn bytes(&self, value_bytes: fn(&V) -> u64) -> u64 {
        let newest = self.runs.values().filter_map(|runs| runs.back());
        newest.map(|run| KEY_BYTES + value_bytes(&run.entry.value)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::bench::{Bench, cas, read, write},
        *,
    };

    const CAP: u64 = 100;

    fn bench(seed: u64) -> Bench<SeqKv<i128>> {
        Bench::new(SeqKv::new(CAP), seed)
    }

    #[derive(Clone, Debug)]
    enum Move {
        Request { client: u32, key: u32, what: What },
        Wait { ns: u64, wake: bool },
    }

    #[derive(Clone, Copy, Debug)]
    enum What {
        Read,
        Write(i128),
        Cas { from: i128, to: i128, create: bool },
    }

    impl What {
        fn request(self, key: Key) -> KvRequest<i128> {
            match self {
                Self::Read => KvRequest::Read { key },
                Self::Write(value) => KvRequest::Write { key, value, op: None },
                Self::Cas { from, to, create } => {
                    KvRequest::Cas { key, from, to, create_if_not_exists: create, op: None }
                }
            }
        }
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let what = prop_oneof![
            3 => Just(What::Read),
            1 => (0..4_i128).prop_map(What::Write),
            3 => (0..4_i128, 0..4_i128, any::<bool>()).prop_map(|(from, to, create)| What::Cas { from, to, create }),
        ];
        let one = prop_oneof![
            8 => (0..4_u32, 0..2_u32, what).prop_map(|(client, key, what)| Move::Request { client, key, what }),
            1 => (0..60_u64, any::<bool>()).prop_map(|(ns, wake)| Move::Wait { ns, wake }),
        ];
        proptest::collection::vec(one, 1..120)
    }

    /// What the request answers in a single state, and the state after it.
    fn sequential(state: &BTreeMap<Key, i128>, request: &KvRequest<i128>) -> (KvReply<i128>, BTreeMap<Key, i128>) {
        let mut after = state.clone();
        let key = key_of(request);
        let entry = state.get(&key).map(|&value| Entry { value, lineage: LineageId::ROOT });
        let reply = match Outcome::of(request, entry.as_ref()) {
            Outcome::Answer(reply) => reply,
            Outcome::Set { value, reply, .. } => {
                after.insert(key, value);
                reply
            }
        };
        (reply, after)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// The witness of sequential consistency is the list of states with each client's position in it: a request
        /// that changes something follows the newest state, any other is put where its client stands. Positions never
        /// go back, so the order agrees with each client's own; and every reply is that of a single copy in this order.
        #[test]
        fn replies_are_those_of_one_copy_in_an_order_that_all_clients_share(moves in moves(), seed in 0..u64::MAX) {
            let mut bench = bench(seed);
            let mut states = vec![(BTreeMap::new(), Time::NEVER)];
            let mut positions = [0_u64; 4];
            for step in moves {
                let (client, key, what) = match step {
                    Move::Wait { ns, wake } => {
                        bench.now = bench.now + ns;
                        if wake {
                            bench.wake();
                        }
                        continue;
                    }
                    Move::Request { client, key, what } => (client, Key(key), what),
                };
                let request = what.request(key);
                let visible = bench.store.visible(NodeId(client), key);
                let reply = bench.handle(client, request.clone());
                let position = bench.store.sessions[&NodeId(client)].position;
                let newest = states.len() as u64 - 1;
                prop_assert!(position >= positions[client as usize], "the client went back");
                positions[client as usize] = position;
                if position > newest {
                    prop_assert_eq!(position, newest + 1);
                    let (expected, after) = sequential(&states[newest as usize].0, &request);
                    prop_assert_eq!(reply, expected);
                    states[newest as usize].1 = bench.now;
                    states.push((after, Time::NEVER));
                } else {
                    let (state, superseded_at) = &states[position as usize];
                    prop_assert!(bench.now < *superseded_at + CAP, "the state was too old");
                    let (expected, after) = sequential(state, &request);
                    prop_assert_eq!(&after, state, "a change was made in the past");
                    prop_assert_eq!(&reply, &expected);
                    if let (What::Read, Some(visible)) = (what, visible) {
                        let value = state.get(&key).copied().unwrap_or_default();
                        prop_assert_eq!(visible.digest, crate::kernel::fold::digest_of(&value));
                    }
                }
                for key in [Key(0), Key(1)] {
                    let last = &states.last().expect("there is a first state").0;
                    prop_assert_eq!(bench.store.newest(key), last.get(&key).copied().unwrap_or_default());
                    check_visible(&bench, &states, positions, key)?;
                }
                prop_assert!(bench.store.superseded.len() < states.len());
            }
        }
    }

    /// Visible is exactly what all states that a client may be served have in common.
    fn check_visible(
        bench: &Bench<SeqKv<i128>>,
        states: &[(BTreeMap<Key, i128>, Time)],
        positions: [u64; 4],
        key: Key,
    ) -> Result<(), TestCaseError> {
        for (client, &position) in (0..).zip(&positions) {
            let served: Vec<i128> = states[position as usize..]
                .iter()
                .filter(|(_, superseded_at)| bench.now < *superseded_at + CAP)
                .map(|(state, _)| state.get(&key).copied().unwrap_or_default())
                .collect();
            let common = served.iter().all(|value| *value == served[0]).then_some(served[0]);
            let visible = bench.store.visible(NodeId(client), key).map(|visible| visible.digest);
            prop_assert_eq!(visible, common.map(|value| crate::kernel::fold::digest_of(&value)));
        }
        Ok(())
    }

    #[test]
    fn reads_are_stale_until_the_cap_and_new_after_it() {
        let mut stale = 0;
        for seed in 0..100 {
            let mut bench = bench(seed);
            for value in 0..50 {
                bench.handle(0, cas(value, value + 1, true, None));
            }
            assert_eq!(bench.read(0), Some(50), "a client sees what it wrote");
            assert_eq!(bench.wake_at, Some(Time(CAP)));
            bench.now = Time(CAP - 1);
            stale += u32::from(bench.read(1) != Some(50));
            assert_eq!(bench.store.visible(NodeId(2), Key(0)), None);
            bench.now = Time(CAP);
            bench.wake();
            assert!(bench.store.visible(NodeId(2), Key(0)).is_some());
            assert_eq!((bench.read(1), bench.read(2)), (Some(50), Some(50)));
            assert_eq!((bench.wake_at, bench.store.runs[&Key(0)].len()), (None, 1), "the past is forgotten");
        }
        assert!(stale > 80, "{stale} of 100");
    }

    #[test]
    fn a_client_that_lags_far_behind_never_goes_back() {
        let mut bench = bench(3);
        let mut seen = 0;
        for value in 0..1000 {
            bench.handle(0, cas(value, value + 1, true, None));
        }
        for _ in 0..50 {
            let value = bench.read(1).unwrap_or(0);
            assert!(value >= seen);
            seen = value;
        }
        assert!(seen > 900);
    }

    #[test]
    fn updates_build_on_the_newest_state() {
        let mut bench = bench(1);
        bench.handle(0, cas(0, 1, true, Some(1)));
        bench.handle(1, cas(1, 0, false, Some(2)));
        // This client has never read; whichever state it is shown, the swap is made in the newest.
        while bench.handle(2, cas(0, 4, false, Some(3))) != KvReply::Swapped {}
        bench.now = Time(CAP);
        bench.wake();
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(5), Key(0))), [3, 2, 1]);
        assert_eq!(bench.effects, [OpId(1), OpId(2), OpId(3)]);
    }

    #[test]
    fn an_update_that_changes_no_value_takes_effect_all_the_same() {
        let mut bench = bench(1);
        bench.handle(0, write(4, Some(1)));
        bench.handle(0, cas(4, 4, false, Some(2)));
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(0), Key(0))), [2, 1]);
        bench.handle(0, write(4, Some(3)));
        assert_eq!(bench.updates_behind(bench.store.visible(NodeId(0), Key(0))), [3]);
        assert_eq!(bench.effects.len(), 3);
        assert_eq!(bench.store.newest_state(), 1);
    }

    #[test]
    fn a_state_without_end_needs_no_waking() {
        let mut bench = Bench::new(SeqKv::new(u64::MAX), 1);
        bench.handle(0, write(4, None));
        assert_eq!(bench.wake_at, None);
        bench.now = Time(u64::MAX - 1);
        assert!((1..20).any(|client| bench.handle(client, read()) == KvReply::KeyDoesNotExist));
    }
}
