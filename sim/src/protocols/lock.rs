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
            let until_ns = now_ns.saturating_add_unsigned(self.config.lease_ns);
            let to = Lease { holder: Some(cx.id()), until_ns };
            let request = KvRequest::SwapLease { key: OBJECT, from: self.known, to };
            return self.call(Step::Leasing { until_ns }, request, cx);
        }
        let rest_ns = self.known.until_ns.saturating_sub(now_ns).unsigned_abs().saturating_add(1);
        let delay_ns = cx.pick(Purpose::Backoff, rest_ns.min(self.config.wait_ns_max)) + 1;
        self.call = self.token(cx);
        self.step = Step::Waiting;
        cx.after(delay_ns, LockTimer::Retry(self.call));
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
        let (reply, is_waiting) = match self.step {
            Step::Swapping => (Reply::Info(Refusal::Timeout), false),
            Step::Waiting => (Reply::Fail(Refusal::Contention), true),
            Step::Idle | Step::Leasing { .. } | Step::Reading => (Reply::Fail(Refusal::StoreUnreachable), true),
        };
        if !is_waiting {
            self.value = None;
        }
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
                let now_ns = cx.clock_ns();
                if self.known.until_ns < now_ns {
                    return self.ask(cx);
                }
                // Whoever holds it may have given it back in the meantime; asking is the way to find out.
                let until_ns = now_ns.saturating_add_unsigned(self.config.lease_ns);
                let request = KvRequest::SwapLease {
                    key: OBJECT,
                    from: Lease::default(),
                    to: Lease { holder: Some(cx.id()), until_ns },
                };
                self.call(Step::Leasing { until_ns }, request, cx);
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
