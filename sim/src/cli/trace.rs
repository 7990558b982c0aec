//! `sim trace`.

use std::io::{self, BufWriter};

use clap::Args;

use super::{
    Exit, Surroundings, output,
    scenario::{ScenarioArgs, select},
};
use crate::{
    engine::{TraceFilter, trace},
    kernel::{ids::NodeId, time::Time, world::Stop},
    scenario::{
        Plan, diagnostic,
        units::{Duration, Unit},
    },
};

/// Write every event of one system as JSON lines.
///
/// One line per event: virtual time, id, cause, kind, endpoints, content, the digest of the replica's observable value
/// before and after, and the fingerprint so far. Equal runs give equal bytes.
#[derive(Debug, Args)]
pub(super) struct Trace {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// The system; needed when the scenario has several.
    #[arg(long, value_name = "NAME")]
    system: Option<String>,

    /// Only events that concern this endpoint, for example n1, lin-kv or c3. Repeatable.
    #[arg(long = "node", value_name = "NAME")]
    nodes: Vec<String>,

    /// Only events up to this virtual time, for example 5.2s.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Time>,
}

fn parse_time(text: &str) -> Result<Time, String> {
    Duration::parse(text).map(Time).map_err(|malformed| malformed.message)
}

impl Trace {
    pub(super) fn execute(&self, surroundings: Surroundings) -> Exit {
        self.try_execute(surroundings).unwrap_or_else(|exit| exit)
    }

    fn try_execute(&self, surroundings: Surroundings) -> Result<Exit, Exit> {
        let plan = self.scenario.load(surroundings, false)?;
        let systems = select(&plan, self.system.as_slice())?;
        let [system] = systems[..] else {
            let names = systems.iter().map(|system| system.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(output::refuse(&format!("name one system with --system: {names}"), Exit::Usage));
        };
        let nodes = self.nodes.iter().map(|name| endpoint(&plan, name)).collect::<Result<_, _>>()?;
        let filter = TraceFilter { nodes, until: self.until };
        let out = BufWriter::new(io::stdout().lock());
        match trace(&plan, system, self.scenario.seed(&plan), &filter, out) {
            Ok(Stop::Completed) => Ok(Exit::Pass),
            Ok(stop) => Err(output::refuse(&format!("the run stopped early: {}", stop.name()), Exit::Inconclusive)),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Pass),
            Err(error) => Err(output::refuse(&format!("cannot write the trace: {error}"), Exit::Internal)),
        }
    }
}

fn endpoint(plan: &Plan, name: &str) -> Result<NodeId, Exit> {
    let mut all = (0..plan.endpoints().total()).map(NodeId);
    all.find(|&node| plan.endpoint_name(node) == name).ok_or_else(|| {
        let names: Vec<String> = (0..plan.endpoints().total()).map(|node| plan.endpoint_name(NodeId(node))).collect();
        let help = diagnostic::suggestion(name, "endpoints", names.iter().map(String::as_str));
        output::refuse(&format!("there is no endpoint `{name}`: {help}"), Exit::Usage)
    })
}
