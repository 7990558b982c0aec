//! `[[system]]`: a protocol with its options.

use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{At, Empty, Entries, Written};
use crate::scenario::units::Duration;

/// A system: a name, and exactly one protocol.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = [
    { "required": ["naive"] }, { "required": ["naive-delta"] }, { "required": ["occ"] }, { "required": ["lock"] },
    { "required": ["gossip"] }, { "required": ["bug"] }, { "required": ["external"] },
]))]
pub struct SystemTable {
    /// The name in reports and in `[expect]`.
    pub name: At<String>,
    /// Read, modify, write, broadcast the total; the last writer wins.
    pub naive: Option<At<Empty>>,
    /// Broadcast increments without identity.
    pub naive_delta: Option<At<Empty>>,
    /// Optimistic concurrency control: read and compare-and-swap at a store, with bounded retry.
    pub occ: Option<At<OccTable>>,
    /// Locking: a lease on `lin-kv` guards read, modify, write.
    pub lock: Option<At<LockTable>>,
    /// Gossip of a CRDT.
    pub gossip: Option<At<GossipTable>>,
    /// A known mistake: see `sim list --bugs`.
    pub bug: Option<At<String>>,
    /// Programs that speak the Maelstrom protocol.
    pub external: Option<At<ExternalTable>>,
}

/// Options of `external`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalTable {
    /// The program that every replica runs, with its arguments; a name ending in `.wasm` is run by an interpreter.
    pub command: At<Vec<String>>,
    /// Variables of its environment.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub env: Entries<At<String>>,
    /// Where its time comes from: `auto` (unless given), `shim`, `messages` or `wall`.
    pub time: Option<At<String>>,
    /// `lockstep` (unless given): one input at a time; `burst`: all inputs of a millisecond at once.
    pub delivery: Option<At<String>>,
    /// How often an observer reads every replica to see whether they agree; 100ms unless given, 0s for never.
    pub probe: Option<Written<Duration>>,
    /// The neighbours that `topology` suggests: `grid` (unless given), `line`, `tree2`, `tree3`, `tree4` or `total`.
    pub topology: Option<At<String>>,
    /// How long a program may take to be ready, in real time; 10s unless given.
    pub start_limit: Option<Written<Duration>>,
    /// How long it may take to come to rest after an input, in real time; 10s unless given.
    pub step_limit: Option<Written<Duration>>,
    /// Is everything that is out of order a failure?
    pub strict: Option<bool>,
}

/// Options of `occ`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OccTable {
    /// The store: `lin-kv`, `seq-kv` or `lww-kv`.
    pub store: At<String>,
    /// How often a lost compare-and-swap is tried again.
    #[schemars(range(min = 0))]
    pub retries: Option<At<i64>>,
    /// The wait before a retry: doubling from `min` to `max`, with jitter.
    pub backoff: Option<At<BackoffTable>>,
    /// When an operation is given up; before the client's timeout.
    pub deadline: Option<Written<Duration>>,
    /// How long an answer of the store is waited for.
    pub rpc_timeout: Option<Written<Duration>>,
}

/// Options of `lock`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockTable {
    /// How long a lease lasts.
    pub lease: Option<Written<Duration>>,
    /// The longest wait before the lease is asked for again.
    pub wait: Option<Written<Duration>>,
    /// When an operation is given up; before the client's timeout.
    pub deadline: Option<Written<Duration>>,
    /// How long an answer of the store is waited for.
    pub rpc_timeout: Option<Written<Duration>>,
}

/// Waits before retries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackoffTable {
    /// The first.
    pub min: Written<Duration>,
    /// The longest.
    pub max: Written<Duration>,
}

/// Options of `gossip`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GossipTable {
    /// The data type: `g-counter` or `pn-counter`.
    pub crdt: At<String>,
    /// `push`, `pull` or `push-pull`.
    pub mode: Option<At<String>>,
    /// The time between two rounds.
    pub interval: Option<Written<Duration>>,
    /// Rounds are early or late by up to this.
    pub jitter: Option<Written<Duration>>,
    /// How many neighbours a round talks to.
    #[schemars(range(min = 1))]
    pub fanout: Option<At<i64>>,
    /// What is sent: `state`, `delta` or `digest`.
    pub payload: Option<At<String>>,
    /// Are updates sent at once, beside the rounds?
    pub eager: Option<bool>,
}
