//! Locking: a lease on a store guards read, modify, write.
//!
//! **Promises** what the store promises, as [`super::occ`] does: with a linearizable store no acknowledged update is lost and
//! none counts twice. Who waits for a lease need not try again and again: under contention updates queue up instead of
//! refusing each other.
//!
//! **Costs** round trips for the lease beside those for the value, and waiting: while somebody holds the lease, nobody else
//! updates. A holder that crashes or is cut off keeps all others waiting until its lease has run out. A replica that cannot
//! reach the store refuses all work. Reads take no lease.
//!
//! ```text
//! n1   lease until 500 ms ok   read -> 0   cas 0 -> 1 ok   give back          acknowledged
//! n2   lease . refused, waits ............................. ok   read -> 1   cas 1 -> 6 ok   acknowledged
//! store            0                                 1                              6
//! ```
//!
//! A lease is a lock that runs out (Gray and Cheriton 1989, "Leases: an efficient fault-tolerant mechanism for distributed file
//! cache consistency"). When it has run out is a matter of clocks: a holder whose clock is behind, or whose write is late,
//! writes after somebody else has taken the lease over. So the value itself is written by compare-and-swap, and what was read
//! serves as the fencing token: a late write finds another value and is refused. A holder writes on with the value that it
//! wrote last, and reads the store again only when it has a new lease.
//!
//! **Goes wrong** in what takes time only. What is deliberately absent: queues in the store, and fairness.

use std::{collections::VecDeque, convert::Infallible};

use crdts::{lattice::Weight, objects::counter::Counter};

use super::wire::Wire;
use crate::kernel::{
    ids::{NodeId, OpId},
    node::{Context, Costs, Knowledge, Node, Observation, Purpose, Recovery, Refusal, Reply},
    observer::OBJECT,
    service::{KvReply, KvRequest, Lease},
    time::MILLISECOND,
};

/// The options of [`Lock`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockConfig {
    /// The store.
    pub store: NodeId,
    /// How long a lease lasts. Default 500 ms.
    pub lease_ns: u64,
    /// The longest wait before the lease is asked for again. Default 50 ms.
    pub wait_ns_max: u64,
    /// How long an operation may take; less than clients wait. Default 900 ms.
    pub deadline_ns: u64,
    /// How long the reply to a single request may take. Default 300 ms.
    pub rpc_timeout_ns: u64,
}

impl LockConfig {
    /// The defaults, with this store.
    pub fn new(store: NodeId) -> Self {
        Self {
            store,
            lease_ns: 500 * MILLISECOND,
            wait_ns_max: 50 * MILLISECOND,
            deadline_ns: 900 * MILLISECOND,
            rpc_timeout_ns: 300 * MILLISECOND,
        }
    }
}

/// Timers carry tokens. A token that nothing waits for is out of date, and its timer does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockTimer {
    /// The request with this token should have been answered.
    Overdue(u64),
    /// The wait with this token is over.
    Retry(u64),
    /// This operation has taken as long as it may.
    Deadline(OpId),
}

/// What the replica is doing for the update at the head of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing: the queue is empty.
    Idle,
    /// Asking for the lease, wanted until this time of the replica's clock.
    Leasing { until_ns: i64 },
    /// Waiting to ask again.
    Waiting,
    /// Reading the value.
    Reading,
    /// Swapping the value: from here on the update may have taken effect.
    Swapping,
}

/// What the key holds.
#[derive(Clone, Debug)]
struct Stored<S> {
    value: S,
    exists: bool,
}

/// A replica that updates under a lease, of a counter unless another object is named. See the [module documentation](self).
#[derive(Clone, Debug)]
pub struct Lock<O: Wire = Counter> {
    config: LockConfig,
    /// Updates that wait for the lease, and the one that has it.
    queue: VecDeque<(OpId, O::Op)>,
    /// Reads on their way, with their tokens.
    reads: Vec<(OpId, O::Op, u64)>,
    step: Step,
    /// Names the request or wait that the replica stands at.
    call: u64,
    /// The lease as it was last heard of.
    known: Lease,
    /// Until when this replica holds the lease, by its own clock.
    held_until_ns: Option<i64>,
    /// The value, as long as nobody else can have written.
    value: Option<Stored<O::State>>,
    /// What to answer when the swap on its way takes effect, and the value that it writes.
    swap: Option<(O::Ret, O::State)>,
    tokens: u32,
    costs: Costs,
}

impl<O: Wire> Lock<O> {
    /// A token that no incarnation of this replica has used.
    fn token(&mut self, cx: &impl Context<Self>) -> u64 {
        self.tokens += 1;
        (u64::from(cx.incarnation()) << 32) | u64::from(self.tokens)
    }

    fn call(&mut self, step: Step, request: KvRequest<O::State>, cx: &mut impl Context<Self>) {
        self.call = self.token(cx);
        self.step = step;
        cx.call(self.config.store, self.call, request);
        cx.after(self.config.rpc_timeout_ns, LockTimer::Overdue(self.call));
    }

    /// Goes on with the head of the queue.
    fn proceed(&mut self, cx: &mut impl Context<Self>) {
        let Some((request, op)) = self.queue.front() else { return self.give_back(cx) };
        let now_ns = cx.clock_ns();
        if self.held_until_ns.is_none_or(|until_ns| until_ns <= now_ns) {
            return self.ask(cx);
        }
        let Some(Stored { value: from, exists }) = self.value.clone() else {
            return self.call(Step::Reading, KvRequest::Read { key: OBJECT }, cx);
        };
        let mut to = from.clone();
        let ret = O::step(&mut to, op);
        let (create_if_not_exists, op) = (!exists, Some(*request));
        self.swap = Some((ret, to.clone()));
        self.call(Step::Swapping, KvRequest::Cas { key: OBJECT, from, to, create_if_not_exists, op }, cx);
    }

    /// Asks for the lease, if it is free as far as this replica knows; waits otherwise.
    fn ask(&mut self, cx: &mut impl Context<Self>) {
        (self.held_until_ns, self.value) = (None, None);
        let now_ns = cx.clock_ns();
        let is_mine = self.known.holder == Some(cx.id());
        if self.known.holder.is_none() || is_mine || self.known.until_ns < now_ns {
            return self.take_over(self.known, cx);
        }
        let rest_ns = self.known.until_ns.saturating_sub(now_ns).unsigned_abs().saturating_add(1);
        let delay_ns = cx.pick(Purpose::Backoff, rest_ns.min(self.config.wait_ns_max)) + 1;
        self.call = self.token(cx);
        self.step = Step::Waiting;
        cx.after(delay_ns, LockTimer::Retry(self.call));
    }

    /// Asks for the lease, given that it is `from`.
    fn take_over(&mut self, from: Lease, cx: &mut impl Context<Self>) {
        let until_ns = cx.clock_ns().saturating_add_unsigned(self.config.lease_ns);
        let to = Lease { holder: Some(cx.id()), until_ns };
        self.call(Step::Leasing { until_ns }, KvRequest::SwapLease { key: OBJECT, from, to }, cx);
    }

    /// Nobody waits here any more: somebody else may go on before the lease has run out. If this gets lost, it will run out.
    fn give_back(&mut self, cx: &mut impl Context<Self>) {
        self.step = Step::Idle;
        if self.held_until_ns.take().is_some() {
            self.value = None;
            let to = Lease::default();
            let request = KvRequest::SwapLease { key: OBJECT, from: self.known, to };
            let call = self.token(cx);
            cx.call(self.config.store, call, request);
            self.known = to;
        }
    }

    /// Ends the update at the head of the queue.
    fn end(&mut self, reply: Reply<O::Ret>, cx: &mut impl Context<Self>) {
        self.swap = None;
        if let Some((request, _)) = self.queue.pop_front() {
            cx.reply(request, reply);
        }
        self.proceed(cx);
    }

    /// The answer to what the update at the head waits for.
    fn on_answer(&mut self, reply: KvReply<O::State>, cx: &mut impl Context<Self>) {
        match (self.step, reply) {
            (Step::Leasing { until_ns }, KvReply::Swapped) => {
                self.known = Lease { holder: Some(cx.id()), until_ns };
                self.held_until_ns = Some(until_ns);
                self.proceed(cx);
            }
            (Step::Leasing { .. }, KvReply::Lease(lease)) => {
                self.known = lease;
                self.costs.conflicts += 1;
                self.costs.retries += 1;
                self.ask(cx);
            }
            (Step::Reading, KvReply::Value { value, .. }) => {
                self.value = Some(Stored { value, exists: true });
                self.proceed(cx);
            }
            (Step::Reading, KvReply::KeyDoesNotExist) => {
                self.value = Some(Stored { value: O::State::default(), exists: false });
                self.proceed(cx);
            }
            (Step::Swapping, KvReply::Swapped) => {
                let (ret, value) = self.swap.take().expect("what is swapping knows its answer");
                self.value = Some(Stored { value, exists: true });
                self.end(Reply::Ok(ret), cx);
            }
            // The lease had run out for somebody else: the fence holds.
            (Step::Swapping, KvReply::PreconditionFailed | KvReply::KeyDoesNotExist) => {
                self.costs.conflicts += 1;
                self.costs.retries += 1;
                self.swap = None;
                self.ask(cx);
            }
            _ => {}
        }
    }

    /// No answer in time.
    fn on_overdue(&mut self, cx: &mut impl Context<Self>) {
        match self.step {
            Step::Leasing { .. } => {
                self.costs.retries += 1;
                self.ask(cx);
            }
            Step::Reading => {
                self.costs.retries += 1;
                self.proceed(cx);
            }
            Step::Swapping => {
                self.value = None;
                self.end(Reply::Info(Refusal::Timeout), cx);
            }
            Step::Idle | Step::Waiting => {}
        }
    }

    fn on_deadline(&mut self, request: OpId, cx: &mut impl Context<Self>) {
        if let Some(at) = self.reads.iter().position(|(read, ..)| *read == request) {
            let (request, ..) = self.reads.remove(at);
            return cx.reply(request, Reply::Fail(Refusal::StoreUnreachable));
        }
        let Some(at) = self.queue.iter().position(|(waiting, _)| *waiting == request) else { return };
        if at > 0 {
            self.queue.remove(at);
            return cx.reply(request, Reply::Fail(Refusal::Contention));
        }
        let reply = match self.step {
            Step::Swapping => {
                self.value = None;
                Reply::Info(Refusal::Timeout)
            }
            Step::Waiting => Reply::Fail(Refusal::Contention),
            Step::Idle | Step::Leasing { .. } | Step::Reading => Reply::Fail(Refusal::StoreUnreachable),
        };
        self.end(reply, cx);
    }

    fn read(&mut self, request: OpId, op: O::Op, cx: &mut impl Context<Self>) {
        let call = self.token(cx);
        self.reads.push((request, op, call));
        cx.call(self.config.store, call, KvRequest::Read { key: OBJECT });
        cx.after(self.config.rpc_timeout_ns, LockTimer::Overdue(call));
    }
}

impl<O: Wire> Node for Lock<O> {
    type Object = O;
    type Message = Infallible;
    type Timer = LockTimer;
    type Config = LockConfig;

    const REPAIRS: bool = true;

    fn boot(config: &LockConfig, _: NodeId, _: u32) -> Self {
        Self {
            config: config.clone(),
            queue: VecDeque::new(),
            reads: Vec::new(),
            step: Step::Idle,
            call: 0,
            known: Lease::default(),
            held_until_ns: None,
            value: None,
            swap: None,
            tokens: 0,
            costs: Costs::default(),
        }
    }

    fn on_start(&mut self, _: &mut impl Context<Self>) {}

    fn on_request(&mut self, request: OpId, op: O::Op, cx: &mut impl Context<Self>) {
        cx.after(self.config.deadline_ns, LockTimer::Deadline(request));
        if !O::is_update(&op) {
            return self.read(request, op, cx);
        }
        self.queue.push_back((request, op));
        if self.step == Step::Idle {
            self.proceed(cx);
        }
    }

    fn on_message(&mut self, _: NodeId, message: Infallible, _: &mut impl Context<Self>) {
        match message {}
    }

    fn on_timer(&mut self, timer: LockTimer, cx: &mut impl Context<Self>) {
        match timer {
            LockTimer::Overdue(call) if call == self.call => self.on_overdue(cx),
            LockTimer::Overdue(call) => {
                if let Some(at) = self.reads.iter().position(|(.., token)| *token == call) {
                    self.costs.retries += 1;
                    let (request, op, _) = self.reads.remove(at);
                    self.read(request, op, cx);
                }
            }
            LockTimer::Retry(call) if call == self.call && self.step == Step::Waiting => {
                if self.known.until_ns < cx.clock_ns() {
                    return self.ask(cx);
                }
                // Whoever holds it may have given it back in the meantime; asking is the way to find out.
                self.take_over(Lease::default(), cx);
            }
            LockTimer::Retry(_) => {}
            LockTimer::Deadline(request) => self.on_deadline(request, cx),
        }
    }

    fn on_return(&mut self, call: u64, reply: KvReply<O::State>, cx: &mut impl Context<Self>) {
        if call == self.call {
            // Its timer is out of date now.
            self.call = 0;
            return self.on_answer(reply, cx);
        }
        let Some(at) = self.reads.iter().position(|(.., token)| *token == call) else { return };
        let (mut value, lineage) = match reply {
            KvReply::Value { value, lineage } => (value, lineage),
            KvReply::KeyDoesNotExist => Default::default(),
            _ => return,
        };
        let (request, op, _) = self.reads.remove(at);
        let ret = O::step(&mut value, &op);
        cx.answer_from(lineage);
        cx.reply(request, Reply::Ok(ret));
    }

    fn on_restart(&mut self, _: Recovery, _: &mut impl Context<Self>) {
        self.queue.clear();
        self.reads.clear();
        (self.step, self.call, self.tokens) = (Step::Idle, 0, 0);
        (self.known, self.held_until_ns, self.value, self.swap) = (Lease::default(), None, None, None);
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
        lineage::LineageId,
        recorded::{Effect, Recorded},
        topology::Topology,
    };

    type Request = KvRequest<i128>;

    /// One replica, and what it has asked for, set and answered.
    struct Bench {
        node: Lock,
        cx: Recorded<Lock>,
        calls: Vec<(u64, Request)>,
        timers: Vec<(u64, LockTimer)>,
        replies: Vec<(OpId, Reply<CounterRet>)>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                node: Lock::boot(&LockConfig::new(NodeId(1)), NodeId(0), 1),
                cx: Recorded::new(Topology::Complete { replicas: 1 }),
                calls: Vec::new(),
                timers: Vec::new(),
                replies: Vec::new(),
            }
        }

        fn collect(&mut self) {
            for effect in self.cx.take_effects() {
                match effect {
                    Effect::Call { call, request, .. } => self.calls.push((call, request)),
                    Effect::After { delay_ns, timer } => self.timers.push((delay_ns, timer)),
                    Effect::Reply { request, reply } => self.replies.push((request, reply)),
                    Effect::AnswersFrom { .. } => {}
                    other => panic!("unexpected {other:?}"),
                }
            }
        }

        fn add(&mut self, request: u32, amount: i64) {
            self.node.on_request(OpId(request), CounterOp::Add(amount), &mut self.cx);
            self.collect();
        }

        /// Answers what was asked last.
        fn answer(&mut self, reply: KvReply<i128>) {
            let (call, _) = *self.calls.last().expect("something was asked");
            self.node.on_return(call, reply, &mut self.cx);
            self.collect();
        }

        fn fire(&mut self, timer: LockTimer) {
            self.node.on_timer(timer, &mut self.cx);
            self.collect();
        }

        fn asked(&self) -> &Request {
            &self.calls.last().expect("something was asked").1
        }

        /// Takes the lease, and reads this.
        fn begin(&mut self, value: i128) {
            self.answer(KvReply::Swapped);
            assert_eq!(*self.asked(), KvRequest::Read { key: OBJECT });
            self.answer(KvReply::Value { value, lineage: LineageId::ROOT });
        }
    }

    fn mine(until_ms: i64) -> Lease {
        Lease { holder: Some(NodeId(0)), until_ns: until_ms * MILLISECOND as i64 }
    }

    fn theirs(until_ms: i64) -> Lease {
        Lease { holder: Some(NodeId(7)), ..mine(until_ms) }
    }

    fn swap(from: i128, to: i128, op: u32) -> Request {
        KvRequest::Cas { key: OBJECT, from, to, create_if_not_exists: false, op: Some(OpId(op)) }
    }

    #[test]
    fn an_update_takes_the_lease_reads_swaps_and_gives_it_back() {
        let mut bench = Bench::new();
        bench.add(3, 5);
        assert_eq!(*bench.asked(), KvRequest::SwapLease { key: OBJECT, from: Lease::default(), to: mine(500) });
        bench.begin(2);
        assert_eq!(*bench.asked(), swap(2, 7, 3));
        bench.answer(KvReply::Swapped);
        assert_eq!(bench.replies, [(OpId(3), Reply::Ok(CounterRet::Added))]);
        assert_eq!(*bench.asked(), KvRequest::SwapLease { key: OBJECT, from: mine(500), to: Lease::default() });
    }

    #[test]
    fn what_waits_behind_goes_on_with_the_value_that_was_written() {
        let mut bench = Bench::new();
        bench.add(0, 1);
        bench.add(1, 10);
        assert_eq!(bench.calls.len(), 1, "one at a time");
        bench.begin(0);
        bench.answer(KvReply::Swapped);
        assert_eq!(*bench.asked(), swap(1, 11, 1), "nobody else can have written");
    }

    #[test]
    fn a_lease_of_others_is_waited_for_and_taken_over_when_it_has_run_out() {
        let mut bench = Bench::new();
        bench.add(0, 1);
        bench.answer(KvReply::Lease(theirs(400)));
        let (delay_ns, timer) = *bench.timers.last().expect("it waits");
        assert!(delay_ns <= 50 * MILLISECOND + 1);
        bench.cx.clock_ns = theirs(399).until_ns;
        bench.fire(timer);
        let to = mine(899);
        assert_eq!(*bench.asked(), KvRequest::SwapLease { key: OBJECT, from: Lease::default(), to }, "it may be free");
        bench.answer(KvReply::Lease(theirs(400)));
        let (_, timer) = *bench.timers.last().expect("it waits again");
        bench.cx.clock_ns = theirs(401).until_ns;
        bench.fire(timer);
        assert_eq!(*bench.asked(), KvRequest::SwapLease { key: OBJECT, from: theirs(400), to: mine(901) });
        assert_eq!(bench.node.costs().conflicts, 2);
    }

    #[test]
    fn a_late_write_meets_the_fence() {
        let mut bench = Bench::new();
        bench.add(0, 1);
        bench.begin(4);
        // Somebody else has taken the lease over, by another clock, and has written.
        bench.answer(KvReply::PreconditionFailed);
        assert!(matches!(bench.asked(), KvRequest::SwapLease { .. }), "it asks for a lease before it reads again");
        assert_eq!(bench.replies, []);
        bench.begin(9);
        assert_eq!(*bench.asked(), swap(9, 10, 0));
    }

    #[test]
    fn a_swap_without_answer_is_of_unknown_fate_and_what_it_wrote_is_not_relied_on() {
        let mut bench = Bench::new();
        bench.add(0, 1);
        bench.add(1, 10);
        bench.begin(0);
        let (call, _) = *bench.calls.last().expect("the swap");
        bench.fire(LockTimer::Overdue(call));
        assert_eq!(bench.replies, [(OpId(0), Reply::Info(Refusal::Timeout))]);
        assert_eq!(*bench.asked(), KvRequest::Read { key: OBJECT });
        bench.node.on_return(call, KvReply::Swapped, &mut bench.cx);
        bench.collect();
        assert_eq!(bench.replies.len(), 1, "the late answer is for nobody");
    }

    #[test]
    fn deadlines_say_what_held_an_update_up() {
        let mut bench = Bench::new();
        bench.add(0, 1);
        bench.add(1, 1);
        bench.answer(KvReply::Lease(theirs(9_000)));
        bench.fire(LockTimer::Deadline(OpId(1)));
        bench.fire(LockTimer::Deadline(OpId(0)));
        let contended = |op| (OpId(op), Reply::Fail(Refusal::Contention));
        assert_eq!(bench.replies, [contended(1), contended(0)]);
        bench.add(2, 1);
        bench.node.on_restart(Recovery::Durable, &mut bench.cx);
        bench.fire(LockTimer::Deadline(OpId(2)));
        assert_eq!(bench.replies.len(), 2, "a restart forgets what was in flight");
    }

    #[test]
    fn reads_take_no_lease() {
        let mut bench = Bench::new();
        bench.node.on_request(OpId(0), CounterOp::Read, &mut bench.cx);
        bench.collect();
        assert_eq!(*bench.asked(), KvRequest::Read { key: OBJECT });
        bench.answer(KvReply::KeyDoesNotExist);
        assert_eq!(bench.replies, [(OpId(0), Reply::Ok(CounterRet::Total(0)))]);
    }
}
