//! Optimistic concurrency control: every operation goes to a store, and an update is a read and a compare-and-swap.
//!
//! **Promises** what the store promises. With a linearizable store, no acknowledged update is lost and none counts
//! twice. An operation whose fate is unknown is reported as such, never as done and never as failed.
//!
//! **Costs** a round trip per read and at least two per update; of n updates that start together, one succeeds per
//! round, so that n rounds and n (n + 1) / 2 attempts are needed if all retry at once. A replica that cannot reach the
//! store refuses all work. The scheme is that of Kung and Robinson (1981), "On optimistic methods for concurrency
//! control"; retries wait for a random time below an exponentially growing cap ("full jitter").
//!
//! ```text
//! n1   read -> 0      cas 0 -> 1 ok                                                acknowledged
//! n2   read -> 0             cas 0 -> 5 refused, waits, read -> 1, cas 1 -> 6 ok   acknowledged
//! n3   read -> 0                   cas 0 -> 2 . . . . . no reply                   indeterminate
//! store      0               1                                  6
//! ```
//!
//! **Goes wrong** where the store does: over `lww-kv` a compare-and-swap can succeed at an internal replica whose state
//! is then overwritten. It also relies on each request reaching the store at most once: a compare-and-swap that arrives
//! twice refuses itself, and if the refusal comes back first, the update is made again.
//!
//! The driving of an operation, by its [`Step`]:
//!
//! ```text
//! Reading --value--> Swapping --swapped--> acknowledged
//!    |  ^               |  '----no reply--> indeterminate
//!    |  '--BackingOff <-'  precondition failed
//!    '--no reply: reads again, as reads can be repeated
//! ```
//!
//! A compare-and-swap without reply is never sent again. What is deliberately absent: caches of the value. A replica
//! keeps nothing but operations in flight, and forgets those when it restarts.

use std::convert::Infallible;

use crdts::{lattice::Weight, object::Object, objects::counter::Counter};

use super::wire::Wire;
use crate::kernel::{
    fold::Fold,
    ids::{NodeId, OpId},
    lineage::LineageId,
    node::{Context, Costs, Knowledge, Node, Observation, Payload, Purpose, Recovery, Refusal, Reply},
    observer::OBJECT,
    service::{KvReply, KvRequest},
    time::MILLISECOND,
};

/// The options of [`Occ`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OccConfig {
    /// The store.
    pub store: NodeId,
    /// How often an operation is attempted again before it fails. Default 16.
    pub retries_max: u32,
    /// The cap of the wait before the first retry after a conflict; it doubles with every further one. Default 1 ms.
    pub backoff_ns_min: u64,
    /// The greatest cap of the wait. Default 200 ms.
    pub backoff_ns_max: u64,
    /// How long an operation may take; less than clients wait. Default 900 ms.
    pub deadline_ns: u64,
    /// How long the reply to a single request may take. Default 300 ms.
    pub rpc_timeout_ns: u64,
}

impl OccConfig {
    /// The defaults, with this store.
    pub fn new(store: NodeId) -> Self {
        Self {
            store,
            retries_max: 16,
            backoff_ns_min: MILLISECOND,
            backoff_ns_max: 200 * MILLISECOND,
            deadline_ns: 900 * MILLISECOND,
            rpc_timeout_ns: 300 * MILLISECOND,
        }
    }
}

/// Where an operation in flight stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A read is on its way.
    Reading,
    /// A compare-and-swap is on its way: from here on the update may have taken effect.
    Swapping,
    /// A conflict was met, and the next attempt waits.
    BackingOff,
}

/// Timers carry tokens. A token that no operation in flight waits for is out of date, and its timer does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OccTimer {
    /// The request with this token should have been answered.
    Overdue(u64),
    /// The wait with this token is over.
    Retry(u64),
    /// The operation with this token has taken as long as it may.
    Deadline(u64),
}

/// Replicas do not talk to each other.
impl Payload for Infallible {
    fn bytes(&self) -> u64 {
        match *self {}
    }

    fn fold(&self, _: &mut Fold) {
        match *self {}
    }

    fn kind(&self) -> &'static str {
        match *self {}
    }
}

/// An operation in flight.
#[derive(Clone, Debug)]
struct Flight<O: Object> {
    request: OpId,
    op: O::Op,
    /// What to answer when the compare-and-swap on its way takes effect.
    ret: Option<O::Ret>,
    /// Names the operation for its deadline.
    token: u64,
    /// Names the request or wait that the operation stands at.
    call: u64,
    step: Step,
    retries: u32,
    conflicts: u32,
    /// What a failure would be put down to: whatever held the operation up last.
    hindrance: Refusal,
}

/// A replica that works on a store, which holds a counter unless another object is named. See the
/// [module documentation](self).
#[derive(Clone, Debug)]
pub struct Occ<O: Wire = Counter> {
    config: OccConfig,
    in_flight: Vec<Flight<O>>,
    /// The tokens given out by this incarnation.
    tokens: u32,
    costs: Costs,
}

impl<O: Wire> Occ<O> {
    /// A token that no incarnation of this replica has used: late replies to a former one are not taken for new ones.
    #[inline]
    fn token(&mut self, cx: &impl Context<Self>) -> u64 {
        self.tokens += 1;
        (u64::from(cx.incarnation()) << 32) | u64::from(self.tokens)
    }

    /// Sends a request for the operation at `index`, which then waits for its reply.
    fn call(&mut self, index: usize, step: Step, request: KvRequest<O::State>, cx: &mut impl Context<Self>) {
        let call = self.token(cx);
        let flight = &mut self.in_flight[index];
        (flight.call, flight.step) = (call, step);
        cx.call(self.config.store, call, request);
        cx.after(self.config.rpc_timeout_ns, OccTimer::Overdue(call));
    }

    fn read(&mut self, index: usize, cx: &mut impl Context<Self>) {
        self.call(index, Step::Reading, KvRequest::Read { key: OBJECT }, cx);
    }

    fn end(&mut self, index: usize, reply: Reply<O::Ret>, cx: &mut impl Context<Self>) {
        let flight = self.in_flight.remove(index);
        cx.reply(flight.request, reply);
    }

    /// The read of the operation at `index` returned; `None`: the key does not exist.
    fn on_value(&mut self, index: usize, read: Option<(O::State, LineageId)>, cx: &mut impl Context<Self>) {
        let create_if_not_exists = read.is_none();
        let (from, lineage) = read.unwrap_or_default();
        let flight = &mut self.in_flight[index];
        let mut to = from.clone();
        let ret = O::step(&mut to, &flight.op);
        if !O::is_update(&flight.op) {
            cx.answer_from(lineage);
            return self.end(index, Reply::Ok(ret), cx);
        }
        flight.ret = Some(ret);
        let swap = KvRequest::Cas { key: OBJECT, from, to, create_if_not_exists, op: Some(flight.request) };
        self.call(index, Step::Swapping, swap, cx);
    }

    /// The compare-and-swap of the operation at `index` took effect.
    fn on_swapped(&mut self, index: usize, cx: &mut impl Context<Self>) {
        let ret = self.in_flight[index].ret.take().expect("what is swapping knows its answer");
        self.end(index, Reply::Ok(ret), cx);
    }

    /// Counts one more attempt of the operation at `index`; ends the operation if that is one too many.
    fn may_retry(&mut self, index: usize, hindrance: Refusal, cx: &mut impl Context<Self>) -> bool {
        let flight = &mut self.in_flight[index];
        flight.hindrance = hindrance;
        if flight.retries == self.config.retries_max {
            self.end(index, Reply::Fail(hindrance), cx);
            return false;
        }
        flight.retries += 1;
        self.costs.retries += 1;
        true
    }

    fn on_conflict(&mut self, index: usize, cx: &mut impl Context<Self>) {
        self.costs.conflicts += 1;
        if !self.may_retry(index, Refusal::Contention, cx) {
            return;
        }
        let doublings = self.in_flight[index].conflicts;
        let cap_ns = 1_u64
            .checked_shl(doublings)
            .and_then(|factor| self.config.backoff_ns_min.checked_mul(factor))
            .map_or(self.config.backoff_ns_max, |cap_ns| cap_ns.min(self.config.backoff_ns_max));
        let delay_ns = cx.pick(Purpose::Backoff, cap_ns.saturating_add(1));
        let call = self.token(cx);
        let flight = &mut self.in_flight[index];
        (flight.call, flight.step) = (call, Step::BackingOff);
        flight.conflicts += 1;
        cx.after(delay_ns, OccTimer::Retry(call));
    }

    fn waiting_for(&self, call: u64) -> Option<usize> {
        self.in_flight.iter().position(|flight| flight.call == call)
    }

    fn on_overdue(&mut self, index: usize, cx: &mut impl Context<Self>) {
        match self.in_flight[index].step {
            Step::Reading => {
                if self.may_retry(index, Refusal::StoreUnreachable, cx) {
                    self.read(index, cx);
                }
            }
            Step::Swapping => self.end(index, Reply::Info(Refusal::Timeout), cx),
            Step::BackingOff => {}
        }
    }

    fn on_deadline(&mut self, index: usize, cx: &mut impl Context<Self>) {
        let flight = &self.in_flight[index];
        let reply = match flight.step {
            Step::Reading | Step::BackingOff => Reply::Fail(flight.hindrance),
            Step::Swapping => Reply::Info(Refusal::Timeout),
        };
        self.end(index, reply, cx);
    }
}

impl<O: Wire> Node for Occ<O> {
    type Object = O;
    type Message = Infallible;
    type Timer = OccTimer;
    type Config = OccConfig;

    const REPAIRS: bool = true;

    fn boot(config: &OccConfig, _: NodeId, _: u32) -> Self {
        Self { config: config.clone(), in_flight: Vec::new(), tokens: 0, costs: Costs::default() }
    }

    fn on_start(&mut self, _: &mut impl Context<Self>) {}

    fn on_request(&mut self, request: OpId, op: O::Op, cx: &mut impl Context<Self>) {
        let token = self.token(cx);
        self.in_flight.push(Flight {
            request,
            op,
            ret: None,
            token,
            call: token,
            step: Step::Reading,
            retries: 0,
            conflicts: 0,
            hindrance: Refusal::StoreUnreachable,
        });
        cx.after(self.config.deadline_ns, OccTimer::Deadline(token));
        self.read(self.in_flight.len() - 1, cx);
    }

    fn on_message(&mut self, _: NodeId, message: Infallible, _: &mut impl Context<Self>) {
        match message {}
    }

    fn on_timer(&mut self, timer: OccTimer, cx: &mut impl Context<Self>) {
        match timer {
            OccTimer::Overdue(call) => {
                if let Some(index) = self.waiting_for(call) {
                    self.on_overdue(index, cx);
                }
            }
            OccTimer::Retry(call) => {
                if let Some(index) = self.waiting_for(call) {
                    self.read(index, cx);
                }
            }
            OccTimer::Deadline(token) => {
                if let Some(index) = self.in_flight.iter().position(|flight| flight.token == token) {
                    self.on_deadline(index, cx);
                }
            }
        }
    }

    fn on_return(&mut self, call: u64, reply: KvReply<O::State>, cx: &mut impl Context<Self>) {
        let Some(index) = self.waiting_for(call) else { return };
        match (self.in_flight[index].step, reply) {
            (Step::Reading, KvReply::Value { value, lineage }) => self.on_value(index, Some((value, lineage)), cx),
            (Step::Reading, KvReply::KeyDoesNotExist) => self.on_value(index, None, cx),
            (Step::Swapping, KvReply::Swapped) => self.on_swapped(index, cx),
            // A key that has gone since it was read is a changed value like any other.
            (Step::Swapping, KvReply::PreconditionFailed | KvReply::KeyDoesNotExist) => self.on_conflict(index, cx),
            // No answer to what was asked is as good as no answer, and the timer will see to that.
            _ => {}
        }
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {
        self.in_flight.clear();
        self.tokens = 0;
    }

    fn observation(&self) -> Observation {
        Observation::Service(self.config.store)
    }

    fn value(&self) -> O::State {
        O::State::default()
    }

    fn value_bytes(value: &O::State) -> u64 {
        O::state_bytes(value)
    }

    fn knowledge(&self) -> Knowledge {
        Knowledge::Service
    }

    /// The state is the store's.
    fn weight(&self) -> Weight {
        Weight::default()
    }

    fn costs(&self) -> Costs {
        self.costs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::counter::{CounterOp, CounterRet};

    use crate::kernel::{
        recorded::{Effect, Recorded},
        topology::Topology,
    };

    type Requests = Vec<(u64, KvRequest<i128>)>;

    struct Bench {
        node: Occ,
        cx: Recorded<Occ>,
        requests: Requests,
        timers: Vec<(u64, OccTimer)>,
        replies: Vec<(OpId, Reply<CounterRet>)>,
        answers_from: Option<LineageId>,
    }

    impl Bench {
        fn new(change: impl FnOnce(&mut OccConfig)) -> Self {
            let mut config = OccConfig::new(NodeId(1));
            change(&mut config);
            Self {
                node: Occ::boot(&config, NodeId(0), 1),
                cx: Recorded::new(Topology::Complete { replicas: 1 }),
                requests: Vec::new(),
                timers: Vec::new(),
                replies: Vec::new(),
                answers_from: None,
            }
        }

        fn collect(&mut self) {
            for effect in self.cx.take_effects() {
                match effect {
                    Effect::Call { service, call, request } => {
                        assert_eq!(service, NodeId(1));
                        self.requests.push((call, request));
                    }
                    Effect::After { delay_ns, timer } => self.timers.push((delay_ns, timer)),
                    Effect::Reply { request, reply } => self.replies.push((request, reply)),
                    Effect::AnswersFrom { lineage } => self.answers_from = Some(lineage),
                    other => panic!("unexpected {other:?}"),
                }
            }
        }

        fn request(&mut self, op: CounterOp) {
            self.node.on_request(OpId(9), op, &mut self.cx);
            self.collect();
        }

        /// Answers the latest request.
        fn answer(&mut self, reply: KvReply<i128>) {
            let call = self.call();
            self.answer_to(call, reply);
        }

        fn answer_to(&mut self, call: u64, reply: KvReply<i128>) {
            self.node.on_return(call, reply, &mut self.cx);
            self.collect();
        }

        fn call(&self) -> u64 {
            self.requests.last().expect("a request was sent").0
        }

        fn fire(&mut self, is: impl Fn(OccTimer) -> bool) {
            let at = self.timers.iter().rposition(|(_, timer)| is(*timer)).expect("such a timer was set");
            self.node.on_timer(self.timers[at].1, &mut self.cx);
            self.collect();
        }

        fn outcome(&self) -> Option<&Reply<CounterRet>> {
            assert!(self.replies.len() <= 1, "an operation is answered once");
            self.replies.first().map(|(_, reply)| reply)
        }
    }

    fn value(value: i128) -> KvReply<i128> {
        KvReply::Value { value, lineage: LineageId::ROOT }
    }

    fn swap(from: i128, to: i128, create_if_not_exists: bool) -> KvRequest<i128> {
        KvRequest::Cas { key: OBJECT, from, to, create_if_not_exists, op: Some(OpId(9)) }
    }

    fn is_overdue(timer: OccTimer) -> bool {
        matches!(timer, OccTimer::Overdue(_))
    }

    fn is_deadline(timer: OccTimer) -> bool {
        matches!(timer, OccTimer::Deadline(_))
    }

    fn is_retry(timer: OccTimer) -> bool {
        matches!(timer, OccTimer::Retry(_))
    }

    #[test]
    fn an_update_is_a_read_and_a_swap() {
        let mut bench = Bench::new(|_| {});
        bench.request(CounterOp::Add(5));
        bench.answer(value(2));
        assert_eq!(bench.requests[1].1, swap(2, 7, false));
        bench.answer(KvReply::Swapped);
        assert_eq!(bench.outcome(), Some(&Reply::Ok(CounterRet::Added)));
        assert_eq!(bench.node.costs(), Costs::default());
        // What was set up for the operation finds nothing to do.
        bench.fire(is_deadline);
        bench.fire(is_overdue);
        assert_eq!((bench.replies.len(), bench.requests.len()), (1, 2));
    }

    #[test]
    fn a_key_that_does_not_exist_counts_as_zero_and_is_created() {
        let mut bench = Bench::new(|_| {});
        bench.request(CounterOp::Read);
        bench.answer(KvReply::KeyDoesNotExist);
        assert_eq!(bench.outcome(), Some(&Reply::Ok(CounterRet::Total(0))));
        assert_eq!(bench.answers_from, Some(LineageId::ROOT));
        let mut bench = Bench::new(|_| {});
        bench.request(CounterOp::Add(-3));
        bench.answer(KvReply::KeyDoesNotExist);
        assert_eq!(bench.requests[1].1, swap(0, -3, true));
    }

    #[test]
    fn a_read_is_put_down_to_the_lineage_of_what_was_read() {
        let mut bench = Bench::new(|_| {});
        let lineage = bench.cx.lineage.derive(LineageId::ROOT, OpId(3));
        bench.request(CounterOp::Read);
        bench.answer(KvReply::Value { value: 8, lineage });
        assert_eq!(bench.outcome(), Some(&Reply::Ok(CounterRet::Total(8))));
        assert_eq!(bench.answers_from, Some(lineage));
    }

    #[test]
    fn conflicts_back_off_with_doubling_caps_and_full_jitter() {
        let mut bench = Bench::new(|config| {
            config.backoff_ns_max = 5 * MILLISECOND;
        });
        bench.cx.script([0, 2 * MILLISECOND, 17, 0, 3]);
        bench.request(CounterOp::Add(1));
        for round in 0..5 {
            bench.answer(value(round));
            bench.answer(KvReply::PreconditionFailed);
            bench.fire(is_retry);
        }
        bench.answer(value(9));
        assert_eq!(bench.requests.last().map(|(_, request)| request), Some(&swap(9, 10, false)));
        bench.answer(KvReply::Swapped);
        assert_eq!(bench.outcome(), Some(&Reply::Ok(CounterRet::Added)));
        assert_eq!(bench.node.costs(), Costs { conflicts: 5, retries: 5 });
        let caps: Vec<u64> = bench.cx.take_draws().iter().map(|draw| draw.bound - 1).collect();
        assert_eq!(caps, [1, 2, 4, 5, 5].map(|ms| ms * MILLISECOND));
        let delays: Vec<u64> =
            bench.timers.iter().filter(|(_, timer)| is_retry(*timer)).map(|(delay_ns, _)| *delay_ns).collect();
        assert_eq!(delays, [0, 2 * MILLISECOND, 17, 0, 3]);
    }

    #[test]
    fn retries_are_bounded() {
        let mut bench = Bench::new(|config| config.retries_max = 2);
        bench.request(CounterOp::Add(1));
        for _ in 0..2 {
            bench.answer(value(0));
            bench.answer(KvReply::PreconditionFailed);
            bench.fire(is_retry);
        }
        bench.answer(value(0));
        bench.answer(KvReply::PreconditionFailed);
        assert_eq!(bench.outcome(), Some(&Reply::Fail(Refusal::Contention)));
        assert_eq!(bench.node.costs(), Costs { conflicts: 3, retries: 2 });
    }

    #[test]
    fn a_backoff_of_any_length_has_a_cap() {
        let mut bench = Bench::new(|config| config.retries_max = 200);
        bench.request(CounterOp::Add(1));
        for _ in 0..100 {
            bench.answer(value(0));
            bench.answer(KvReply::PreconditionFailed);
            bench.fire(is_retry);
        }
        assert!(bench.cx.take_draws().iter().all(|draw| draw.bound <= 200 * MILLISECOND + 1));
    }

    #[test]
    fn a_swap_without_reply_is_indeterminate_and_never_repeated() {
        for is in [is_overdue, is_deadline] {
            let mut bench = Bench::new(|_| {});
            bench.request(CounterOp::Add(1));
            bench.answer(value(0));
            bench.fire(is);
            assert_eq!(bench.outcome(), Some(&Reply::Info(Refusal::Timeout)));
            // The reply that comes too late changes nothing.
            bench.answer(KvReply::Swapped);
            bench.fire(is_deadline);
            assert_eq!((bench.replies.len(), bench.requests.len()), (1, 2));
        }
    }

    #[test]
    fn a_read_without_reply_is_repeated_and_fails_at_the_deadline() {
        for op in [CounterOp::Read, CounterOp::Add(1)] {
            let mut bench = Bench::new(|_| {});
            bench.request(op);
            let first = bench.call();
            bench.fire(is_overdue);
            assert_eq!(bench.requests.len(), 2);
            bench.answer_to(first, value(3));
            assert_eq!((bench.outcome(), bench.requests.len()), (None, 2));
            bench.fire(is_deadline);
            assert_eq!(bench.outcome(), Some(&Reply::Fail(Refusal::StoreUnreachable)));
            assert_eq!(bench.node.costs(), Costs { conflicts: 0, retries: 1 });
        }
    }

    #[test]
    fn a_deadline_while_backing_off_is_put_down_to_contention() {
        let mut bench = Bench::new(|_| {});
        bench.request(CounterOp::Add(1));
        bench.answer(value(0));
        bench.answer(KvReply::PreconditionFailed);
        // The refused request's own timer is out of date by now.
        bench.fire(is_overdue);
        assert_eq!(bench.outcome(), None);
        bench.fire(is_deadline);
        assert_eq!(bench.outcome(), Some(&Reply::Fail(Refusal::Contention)));
    }

    #[test]
    fn a_restart_forgets_operations_and_their_replies() {
        let mut bench = Bench::new(|_| {});
        bench.request(CounterOp::Add(1));
        let old = bench.call();
        bench.cx.act_as(NodeId(0), 1);
        bench.node.on_restart(Recovery::Durable, &mut bench.cx);
        bench.request(CounterOp::Add(2));
        assert_ne!(bench.call(), old);
        bench.answer_to(old, value(7));
        assert_eq!(bench.requests.len(), 2, "the reply to the former incarnation was ignored");
    }

    #[test]
    fn in_lockstep_n_updates_take_n_rounds() {
        const N: u32 = 6;
        let mut cx = Recorded::<Occ>::new(Topology::Complete { replicas: N });
        let config = OccConfig::new(NodeId(N));
        let mut nodes: Vec<_> = (0..N).map(|id| Occ::boot(&config, NodeId(id), N)).collect();
        let mut pending = Vec::new();
        for (id, node) in (0..N).zip(&mut nodes) {
            node.on_request(OpId(id), CounterOp::Add(1), &mut cx);
            pending.extend(cx.take_effects().into_iter().map(|effect| (id as usize, effect)));
        }
        let (mut stored, mut attempts, mut rounds) = (0, 0, 0);
        while !pending.is_empty() {
            let before = stored;
            for (at, effect) in std::mem::take(&mut pending) {
                let node = &mut nodes[at];
                match effect {
                    Effect::Call { call, request: KvRequest::Read { .. }, .. } => {
                        node.on_return(call, value(stored), &mut cx);
                    }
                    Effect::Call { call, request: KvRequest::Cas { from, to, .. }, .. } => {
                        attempts += 1;
                        let swapped = from == stored;
                        if swapped {
                            stored = to;
                        }
                        let reply = if swapped { KvReply::Swapped } else { KvReply::PreconditionFailed };
                        node.on_return(call, reply, &mut cx);
                    }
                    Effect::After { timer: timer @ OccTimer::Retry(_), .. } => node.on_timer(timer, &mut cx),
                    _ => {}
                }
                pending.extend(cx.take_effects().into_iter().map(|effect| (at, effect)));
            }
            rounds += u32::from(stored != before);
        }
        assert_eq!((stored, attempts, rounds), (i128::from(N), N * (N + 1) / 2, N));
        let wasted: u64 = nodes.iter().map(|node| node.costs().conflicts).sum();
        assert_eq!(wasted, u64::from(N * (N - 1) / 2));
    }
}
