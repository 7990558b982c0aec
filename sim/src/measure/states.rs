//! States that occurred: a sample of replicas as they were, for whoever checks laws on them.
//!
//! Laws of joins hold for all states or are no laws, but states that replicas reached are the ones that matter, and the ones
//! that a test with made-up states may miss. The sample is systematic: every `stride`-th change of a replica from a place on
//! that the seed decides. When it is full, every other state goes and the stride doubles; so it is spread over the whole run
//! whatever its length, and costs next to nothing.
//!
//! Beside the sample stands the join of the states of all replicas right after each of their updates: what everybody must
//! have in the end.
//!
//! What is deliberately absent: replicas whose states are no lattice.

use crate::kernel::{draws::Stream, ids::NodeId, node::Node, time::Time};

/// A sample has at most this many states.
const SAMPLE_MAX: usize = 16;
/// How many triples of states are drawn.
const TRIPLES: u64 = 64;

/// A replica as it was.
#[derive(Clone, Debug)]
struct Occurred<N> {
    replica: NodeId,
    at: Time,
    state: N,
}

/// The states of a run.
#[derive(Clone, Debug)]
pub(super) struct States<N> {
    draws: Stream,
    sample: Vec<Occurred<N>>,
    /// How many changes there are until the next one that is kept.
    countdown: u64,
    stride: u64,
    /// The join of all states after updates.
    joined: Option<N>,
}

impl<N: Node> States<N> {
    pub(super) fn new(seed: u64) -> Self {
        let draws = Stream::new(seed, "check.states");
        let countdown = draws.below(0, 0, SAMPLE_MAX as u64);
        Self { draws, sample: Vec::new(), countdown, stride: 1, joined: None }
    }

    /// A replica has changed.
    #[inline]
    pub(super) fn changed(&mut self, at: Time, replica: NodeId, state: &N) {
        if !N::LATTICE {
            return;
        }
        if let Some(left) = self.countdown.checked_sub(1) {
            self.countdown = left;
            return;
        }
        if self.sample.len() == SAMPLE_MAX {
            let mut keep = false;
            self.sample.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride *= 2;
        }
        self.countdown = self.stride - 1;
        self.sample.push(Occurred { replica, at, state: state.clone() });
    }

    /// A replica has just made an update.
    pub(super) fn updated(&mut self, state: &N) {
        if !N::LATTICE {
            return;
        }
        match &mut self.joined {
            Some(joined) => joined.join_state(state),
            None => self.joined = Some(state.clone()),
        }
    }

    /// The digest of the join of all updates; `None` where there were none, or states are no lattice.
    pub(super) fn joined_digest(&self) -> Option<u64> {
        self.joined.as_ref().map(Node::state_digest)
    }

    /// Checks the laws on triples of the sample, drawn by the seed. Returns how many held before one did not, and what it
    /// was, as a unit test; `None` where states are no lattice.
    pub(super) fn laws(&self) -> Option<Laws> {
        let count = self.sample.len() as u64;
        if !N::LATTICE || count == 0 {
            return None;
        }
        for triple in 0..TRIPLES {
            let [a, b, c] = [0, 1, 2].map(|part| &self.sample[self.draws.below(1 + part, triple, count) as usize]);
            if let Err(violation) = N::check_laws([&a.state, &b.state, &c.state]) {
                let origins = [a, b, c].map(|state| (state.replica, state.at));
                return Some(Laws { checked: triple, broken: Some(Broken { violation, origins }) });
            }
        }
        Some(Laws { checked: TRIPLES, broken: None })
    }
}

/// Whether the laws of joins held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laws {
    /// Triples of states for which they did.
    pub checked: u64,
    /// The first for which they did not.
    pub broken: Option<Broken>,
}

/// A broken law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What is broken, and a unit test that shows it.
    pub violation: String,
    /// Where and when the states occurred.
    pub origins: [(NodeId, Time); 3],
}
