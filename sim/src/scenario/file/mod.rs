//! The scenario file as it is written: one type per table, unknown keys refused, places kept.
//!
//! This is the grammar and nothing else. Alternatives are tagged from outside (`partition = { … }`), because tags inside
//! a table would make the parser lose the places of what is in it. What the values mean, and whether they fit together,
//! is decided in `scenario::validate`. The JSON Schema that editors use is derived from these types, so every field's
//! documentation is what an author sees while typing.

mod cluster;
mod expect;
mod fault;
mod gate;
mod network;
mod system;
mod value;
mod workload;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::{cluster::*, expect::*, fault::*, gate::*, network::*, system::*, value::*, workload::*};

/// A scenario: a cluster, its network, a workload, faults, and the systems that are compared under them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "Scenario",
    description = "A scenario: a cluster, its network, a workload, faults, and the systems that are compared under them. \
                   Every value may also be { swarm = [..] }, drawn anew for every seed; this schema describes what is \
                   drawn, and not that."
)]
pub struct ScenarioFile {
    /// The name of the scenario in kebab case, for example `partition`.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub name: At<String>,
    /// The seed of all draws; 1 unless given.
    pub seed: Option<At<i64>>,
    /// The replicas.
    pub cluster: At<ClusterTable>,
    /// The conditions of all links.
    #[serde(default)]
    pub network: NetworkTable,
    /// Links that differ from `[network]`.
    #[serde(default)]
    pub link: Vec<At<LinkTable>>,
    /// The external stores.
    #[serde(default)]
    pub services: ServicesTable,
    /// What clients do.
    pub workload: At<WorkloadTable>,
    /// Where a run stops unfinished.
    #[serde(default)]
    pub limits: LimitsTable,
    /// Faults at fixed times.
    #[serde(default)]
    pub fault: Vec<At<FaultTable>>,
    /// Faults drawn from the seed.
    pub nemesis: Option<At<NemesisTable>>,
    /// The systems that are compared, each under the same draws.
    pub system: Vec<At<SystemTable>>,
    /// What must hold for a system, by its name.
    #[serde(default)]
    pub expect: Entries<At<ExpectTable>>,
    /// When `sim gate` stops a change.
    #[serde(default)]
    pub gate: GateTable,
}
