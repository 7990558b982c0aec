//! `[[fault]]` and `[nemesis]`.

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::{
    network::{BurstTable, Latency},
    value::{At, Choice, Empty, NameList, ShortForm, Written},
};
use crate::scenario::units::{Drift, Duration, Percentage, SignedDuration};

/// A fault: when, and exactly one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["partition"] }, { "required": ["crash"] }, { "required": ["pause"] }, { "required": ["slow"] },
    { "required": ["clock"] }, { "required": ["loss"] }, { "required": ["burst"] }, { "required": ["duplicate"] },
    { "required": ["delay"] },
]))]
pub struct FaultTable {
    /// When it begins.
    pub at: Written<Duration>,
    /// How long it lasts; without it, it is never healed.
    #[serde(rename = "for")]
    pub lasts: Option<Written<Duration>>,
    /// It begins again after this time, and again.
    pub every: Option<Written<Duration>>,
    /// It does not begin again at or after this time; the end of the workload unless given.
    pub until: Option<Written<Duration>>,
    /// Endpoints cannot talk to each other.
    pub partition: Option<At<Choice<PartitionTable>>>,
    /// Nodes go down, and are up again at the heal.
    pub crash: Option<At<CrashFault>>,
    /// Nodes do nothing; what arrives waits.
    pub pause: Option<At<NodesFault>>,
    /// Nodes take longer for everything.
    pub slow: Option<At<SlowFault>>,
    /// Clocks jump and drift.
    pub clock: Option<At<ClockFault>>,
    /// Further messages are lost.
    pub loss: Option<At<ProbabilityFault>>,
    /// Messages are lost in bursts.
    pub burst: Option<At<BurstFault>>,
    /// Further messages arrive twice.
    pub duplicate: Option<At<ProbabilityFault>>,
    /// Messages take longer.
    pub delay: Option<At<DelayFault>>,
}

/// How the endpoints are divided: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct PartitionTable {
    /// Endpoints talk within their group only.
    pub groups: Option<At<Vec<NameList>>>,
    /// The first half of the replicas against the others.
    pub halves: Option<At<Empty>>,
    /// The named endpoints against all others.
    pub isolate: Option<NameList>,
    /// Every replica sees a majority, no two the same.
    pub majority_ring: Option<At<Empty>>,
    /// Two halves which only the named endpoints join.
    pub bridge: Option<NameList>,
    /// Messages from some to others are lost, while the way back works.
    pub one_way: Option<At<OneWayTable>>,
    /// Groups drawn anew at every occurrence.
    pub random: Option<At<RandomTable>>,
    /// A partition that comes and goes.
    pub flapping: Option<At<FlappingTable>>,
}

impl ShortForm for PartitionTable {
    const EXPECTED: &'static str = "a partition such as \"halves\" or { isolate = [\"n1\"] }";

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "enum": ["halves", "majority-ring"] })
    }
}

/// Cut in one direction.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneWayTable {
    /// The senders.
    pub from: NameList,
    /// The receivers.
    pub to: NameList,
}

/// Drawn groups.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomTable {
    /// How many.
    pub groups: At<i64>,
}

/// Cut and joined in turns.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlappingTable {
    /// The groups.
    pub groups: At<Vec<NameList>>,
    /// How long they are joined.
    pub up: Written<Duration>,
    /// How long they are cut.
    pub down: Written<Duration>,
}

/// Nodes that crash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashFault {
    /// Replicas or stores.
    pub nodes: NameList,
    /// What survives: `durable` (unless given), `volatile`, or `{ stale = "2s" }`, the state of that long before.
    pub state: Option<At<Choice<Recovered>>>,
}

/// A state that survived in part.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// How much of the latest past is lost.
    pub stale: Written<Duration>,
}

impl ShortForm for Recovered {
    const EXPECTED: &'static str = "\"durable\", \"volatile\" or { stale = \"2s\" }";

    fn text_schema() -> Schema {
        json_schema!({ "type": "string", "enum": ["durable", "volatile"] })
    }
}

/// Nodes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodesFault {
    /// Replicas or stores.
    pub nodes: NameList,
}

/// Slow nodes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowFault {
    /// Replicas or stores.
    pub nodes: NameList,
    /// The extra time for everything they handle.
    pub delay: Written<Duration>,
}

/// Clocks that are off.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockFault {
    /// Replicas.
    pub nodes: NameList,
    /// The clock jumps by this; negative: back.
    pub offset: Option<Written<SignedDuration>>,
    /// The clock gains this.
    pub drift: Option<Written<Drift>>,
}

/// A probability on links.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityFault {
    /// For every message.
    pub probability: Written<Percentage>,
    /// Only messages from these; from all unless given.
    pub from: Option<NameList>,
    /// Only messages to these; to all unless given.
    pub to: Option<NameList>,
}

/// Bursts on links.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BurstFault {
    /// The probability to turn bad.
    pub enter: Written<Percentage>,
    /// The probability to turn good again.
    pub exit: Written<Percentage>,
    /// The probability that a message is lost while the link is bad; 100% unless given.
    pub loss: Option<Written<Percentage>>,
    /// Only messages from these; from all unless given.
    pub from: Option<NameList>,
    /// Only messages to these; to all unless given.
    pub to: Option<NameList>,
}

impl BurstFault {
    /// The part that `[network]` has too.
    pub fn burst(&self) -> BurstTable {
        BurstTable { enter: self.enter.clone(), exit: self.exit.clone(), loss: self.loss.clone() }
    }
}

/// Extra latency on links.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayFault {
    /// The extra time.
    pub latency: At<Choice<Latency>>,
    /// Only messages from these; from all unless given.
    pub from: Option<NameList>,
    /// Only messages to these; to all unless given.
    pub to: Option<NameList>,
}

/// Faults drawn from the seed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NemesisTable {
    /// The kinds to choose from.
    pub kinds: NameList,
    /// The mean time from one beginning to the next.
    pub interval: Written<Duration>,
    /// The mean duration.
    pub duration: Written<Duration>,
    /// Nothing begins earlier; the start of the workload unless given.
    pub from: Option<Written<Duration>>,
    /// All is healed by then; the end of the workload unless given.
    pub until: Option<Written<Duration>>,
}
