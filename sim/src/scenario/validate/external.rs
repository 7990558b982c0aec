//! `external = { ... }`: systems of programs, and what does not go with them.

use super::{Check, systems::Surroundings};
use crate::{
    kernel::node::Recovery,
    maelstrom::{
        config::{DELIVERIES, Delivery, ExternalConfig, TIMES, TimeChoice},
        dialect,
        topology::{SHAPES, Shape},
    },
    scenario::{
        diagnostic::Diagnostic,
        file::{At, ExternalTable, ScenarioFile},
        plan::{ObjectName, ProtocolSpec, Timeline},
        topology::Graph,
    },
};

pub(super) fn external(
    check: &mut Check,
    external: &At<ExternalTable>,
    around: &Surroundings<'_>,
) -> Option<ProtocolSpec> {
    let table = &external.value;
    if table.command.value.first().is_none_or(String::is_empty) {
        let finding = Diagnostic::new("scenario::empty", "there is no program to start");
        check.push(
            finding
                .at(table.command.span.clone(), "here")
                .help("write [\"python3\", \"my_node.py\"], or another command"),
        );
        return None;
    }
    let mut config = ExternalConfig::new(table.command.value.clone());
    config.env = table.env.0.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
    config.strict = table.strict.unwrap_or(false);
    if let Some(time) = &table.time {
        let times = [TimeChoice::Auto, TimeChoice::Shim, TimeChoice::Messages, TimeChoice::Wall];
        config.time = times[check.choose(time, "time", TIMES)?];
    }
    if let Some(delivery) = &table.delivery {
        config.delivery = [Delivery::Lockstep, Delivery::Burst][check.choose(delivery, "delivery", DELIVERIES)?];
    }
    if let Some(shape) = &table.topology {
        config.topology = Shape::ALL[check.choose(shape, "shape", SHAPES)?];
    }
    config.probe_ns = check.read_or(table.probe.as_ref(), config.probe_ns)?;
    if let Some(limit) = &table.start_limit {
        config.start_ns_max = check.positive(limit, "a limit")?;
    }
    if let Some(limit) = &table.step_limit {
        config.step_ns_max = check.positive(limit, "a limit")?;
    }
    fits(check, external, around)?;
    Some(ProtocolSpec::External { config })
}

/// Does a system of programs fit the rest of the scenario?
fn fits(check: &mut Check, external: &At<ExternalTable>, around: &Surroundings<'_>) -> Option<()> {
    let place = external.span.clone();
    if around.graph.is_some_and(|graph| *graph != Graph::Complete) {
        let finding = Diagnostic::new("scenario::contradiction", "programs need a complete topology");
        let help = "a program may talk to every other one; `external.topology` is what it is told of its neighbours";
        check.push(finding.at(place, "this system").help(help));
        return None;
    }
    let work = around.work?;
    if dialect(&work.config.operations).is_none() {
        let object = ObjectName::of(&work.config.operations).name();
        let finding = Diagnostic::new("scenario::contradiction", format!("programs are not asked for a {object}"));
        let spoken = "counter, g-set, broadcast, key-value, echo, unique-ids";
        check.push(finding.at(place, "this system").help(format!("objects that they speak of: {spoken}")));
        return None;
    }
    Some(())
}

/// What a crash leaves of a program, nobody can choose.
pub(super) fn crashes(check: &mut Check, file: &ScenarioFile, timeline: Option<&Timeline>) {
    let Some(system) = file.system.iter().find(|system| system.value.external.is_some()) else { return };
    let keeps = |recovery: &Recovery| *recovery != Recovery::Volatile;
    if timeline.is_some_and(|timeline| timeline.recoveries().any(|recovery| keeps(&recovery))) {
        let message = "a program that crashes loses all of its memory";
        let finding = Diagnostic::new("scenario::contradiction", message);
        let help = "write `state = \"volatile\"` in every crash, and `crash-volatile` in a nemesis";
        check.push(finding.at(system.span.clone(), "this system").help(help));
    }
}
