//! `[cluster]`: the number of replicas, the graph, regions, clocks.

use std::collections::BTreeMap;

use super::{Check, distribution::distribution};
use crate::scenario::{
    diagnostic::{Diagnostic, suggestion},
    distribution::Distribution,
    file::{self, At, Choice, ClusterTable, Edge, Geo},
    names::{Accepted, Names},
    plan::{ClockBounds, ClusterPlan, Regions},
    topology::{Graph, TOPOLOGIES},
};

/// The most replicas of a cluster.
const REPLICAS_MAX: u32 = 4_000_000;

/// The most regions.
const REGIONS_MAX: usize = 256;

pub(super) fn replicas(check: &mut Check, cluster: &ClusterTable) -> Option<u32> {
    check.within(&cluster.nodes, "the number of nodes", 1..=REPLICAS_MAX)
}

pub(super) fn cluster(check: &mut Check, table: &ClusterTable, names: Option<&Names>) -> Option<ClusterPlan> {
    let clock = clock(check, table);
    let (graph, regions) = match &table.topology {
        None => (Some(Graph::Complete), None),
        Some(topology) => match &topology.value {
            Choice::Text(text) => (plain(check, topology, text), None),
            Choice::Table(choice) => shaped(check, topology, choice, names)?,
        },
    };
    let (graph, names) = graph.zip(names)?;
    if let Err((message, help)) = graph.check(names.endpoints().replicas) {
        let place = table.topology.as_ref().map_or(0..0, |topology| topology.span.clone());
        let finding = Diagnostic::new("scenario::topology", message).at(place, "this graph");
        check.push(finding.at(table.nodes.span.clone(), "with this many nodes").help(help));
        return None;
    }
    Some(ClusterPlan { graph, regions, clock: clock? })
}

/// A graph that needs no parameters.
fn plain(check: &mut Check, topology: &At<Choice<file::Graph>>, name: &str) -> Option<Graph> {
    match name {
        "complete" => return Some(Graph::Complete),
        "ring" => return Some(Graph::Ring),
        "star" => return Some(Graph::Star),
        _ => {}
    }
    let (message, help) = if let Some((name, doc)) = TOPOLOGIES.iter().find(|(known, _)| *known == name) {
        (format!("the topology `{name}` has parameters: {doc}"), format!("write {{ {name} = {{ … }} }}"))
    } else {
        let help = suggestion(name, "topologies", TOPOLOGIES.iter().map(|(known, _)| *known));
        (format!("there is no topology `{name}`"), help)
    };
    check.push(
        Diagnostic::new("scenario::unknown-name", message).at(topology.span.clone(), "no plain topology").help(help),
    );
    None
}

/// A graph with parameters. The outer `None` means that nothing more can be said.
fn shaped(
    check: &mut Check,
    topology: &At<Choice<file::Graph>>,
    graph: &file::Graph,
    names: Option<&Names>,
) -> Option<(Option<Graph>, Option<Regions>)> {
    let place = |at: Option<&std::ops::Range<usize>>| at.cloned();
    let kinds = [
        ("complete", place(graph.complete.as_ref().map(|kind| &kind.span))),
        ("ring", place(graph.ring.as_ref().map(|kind| &kind.span))),
        ("star", place(graph.star.as_ref().map(|kind| &kind.span))),
        ("grid", place(graph.grid.as_ref().map(|kind| &kind.span))),
        ("tree", place(graph.tree.as_ref().map(|kind| &kind.span))),
        ("random-regular", place(graph.random_regular.as_ref().map(|kind| &kind.span))),
        ("small-world", place(graph.small_world.as_ref().map(|kind| &kind.span))),
        ("scale-free", place(graph.scale_free.as_ref().map(|kind| &kind.span))),
        ("geo", place(graph.geo.as_ref().map(|kind| &kind.span))),
        ("edges", place(graph.edges.as_ref().map(|kind| &kind.span))),
    ];
    check.exactly_one(&topology.span, "topology", &kinds)?;
    let built = if let Some(grid) = &graph.grid {
        let width = check.within(&grid.value.width, "the width of a grid", 1..=REPLICAS_MAX);
        let height = check.within(&grid.value.height, "the height of a grid", 1..=REPLICAS_MAX);
        width.zip(height).map(|(width, height)| Graph::Grid { width, height })
    } else if let Some(tree) = &graph.tree {
        check.within(&tree.value.arity, "the arity of a tree", 1..=REPLICAS_MAX).map(|arity| Graph::Tree { arity })
    } else if let Some(regular) = &graph.random_regular {
        check.within(&regular.value.degree, "a degree", 1..=REPLICAS_MAX).map(|degree| Graph::RandomRegular { degree })
    } else if let Some(world) = &graph.small_world {
        let degree = check.within(&world.value.degree, "a degree", 1..=REPLICAS_MAX);
        let rewire = check.read(&world.value.rewire);
        degree.zip(rewire).map(|(degree, rewire)| Graph::SmallWorld { degree, rewire })
    } else if let Some(free) = &graph.scale_free {
        check.within(&free.value.links, "the number of links", 1..=REPLICAS_MAX).map(|links| Graph::ScaleFree { links })
    } else if let Some(edges) = &graph.edges {
        edge_list(check, &edges.value, names)
    } else if let Some(geo) = &graph.geo {
        return Some((Some(Graph::Complete), Some(regions(check, geo, names)?)));
    } else if graph.ring.is_some() {
        Some(Graph::Ring)
    } else if graph.star.is_some() {
        Some(Graph::Star)
    } else {
        Some(Graph::Complete)
    };
    Some((built, None))
}

fn edge_list(check: &mut Check, edges: &[Edge], names: Option<&Names>) -> Option<Graph> {
    let names = names?;
    let mut result = Vec::with_capacity(edges.len());
    for At { span, value: (a, b) } in edges {
        let (first, second) =
            (check.keep(names.resolve(a, Accepted::Replicas)), check.keep(names.resolve(b, Accepted::Replicas)));
        if let Some((first, second)) = first.zip(second) {
            if first == second {
                let finding = Diagnostic::new("scenario::topology", format!("{} is linked to itself", a.value));
                check.push(finding.at(span.clone(), "both ends are the same").help("leave this edge out"));
            }
            result.push((first.0, second.0));
        }
    }
    (result.len() == edges.len()).then_some(Graph::Edges(result))
}

/// Every replica is in exactly one region.
fn regions(check: &mut Check, geo: &At<Geo>, names: Option<&Names>) -> Option<Regions> {
    let names = names?;
    let replicas = names.endpoints().replicas;
    let listed = &geo.value.regions.0;
    let before = check.findings.len();
    if listed.is_empty() || listed.len() > REGIONS_MAX {
        let finding = Diagnostic::new("scenario::topology", format!("there are {} regions", listed.len()));
        check.push(finding.at(geo.span.clone(), "here").help(format!("name 1 to {REGIONS_MAX} regions")));
    }
    let mut home: BTreeMap<u32, (u16, &At<String>)> = BTreeMap::new();
    for (number, (region, members)) in listed.iter().enumerate() {
        if members.value.is_empty() {
            let finding = Diagnostic::new("scenario::empty", format!("the region `{}` is empty", region.value));
            check.push(finding.at(members.span.clone(), "no replicas").help("name its replicas, or leave it out"));
        }
        for member in &members.value {
            let Some(node) = check.keep(names.resolve(member, Accepted::Replicas)) else { continue };
            if let Some((_, first)) = home.insert(node.0, (number as u16, member)) {
                let finding = Diagnostic::new("scenario::overlap", format!("{} is in two regions", member.value));
                check.push(finding.at(member.span.clone(), "again").at(first.span.clone(), "first"));
            }
        }
    }
    if check.findings.len() == before
        && let Some(homeless) = (0..replicas).find(|node| !home.contains_key(node))
    {
        let finding = Diagnostic::new("scenario::topology", format!("n{} is in no region", homeless + 1));
        check.push(finding.at(geo.span.clone(), "these regions").help("every replica belongs to one region"));
    }
    let latency = region_latencies(check, geo)?;
    (check.findings.len() == before).then(|| Regions {
        names: listed.iter().map(|(region, _)| region.value.clone()).collect(),
        of: home.into_values().map(|(region, _)| region).collect(),
        latency,
        place: geo.span.clone(),
    })
}

/// The latency from every region to every other one, where it is given.
fn region_latencies(check: &mut Check, geo: &At<Geo>) -> Option<Vec<Option<Distribution>>> {
    let regions: Vec<&str> = geo.value.regions.0.iter().map(|(region, _)| region.value.as_str()).collect();
    let count = regions.len();
    let mut given = vec![None; count * count];
    let mut is_complete = true;
    for (key, latency) in &geo.value.latency.0 {
        // Names of regions may contain dashes: any cut into two of them counts.
        let number = |name: &str| regions.iter().position(|region| *region == name);
        let mut cuts = key
            .value
            .match_indices('-')
            .filter_map(|(at, _)| number(&key.value[..at]).zip(number(&key.value[at + 1..])));
        let pair = cuts.next();
        let value = distribution(check, latency);
        is_complete &= value.is_some();
        if let Some((from, to)) = pair {
            given[from * count + to] = value;
        } else {
            let pairs = regions
                .iter()
                .flat_map(|a| regions.iter().map(move |b| format!("{a}-{b}")))
                .take(400)
                .collect::<Vec<_>>();
            let help = suggestion(&key.value, "pairs of regions", pairs.iter().map(String::as_str));
            let finding = Diagnostic::new("scenario::unknown-name", format!("`{}` is no pair of regions", key.value));
            check.push(finding.at(key.span.clone(), "not two regions").help(help));
        }
    }
    let either = |at: usize| given[at].clone().or_else(|| given[at % count * count + at / count].clone());
    is_complete.then(|| (0..count * count).map(either).collect())
}

/// How far clocks may be off.
fn clock(check: &mut Check, table: &ClusterTable) -> Option<ClockBounds> {
    let Some(clock) = &table.clock else { return Some(ClockBounds::default()) };
    let skew_ns = check.read_or(clock.value.skew.as_ref(), 0);
    let drift_ppb = check.read_or(clock.value.drift.as_ref(), 0);
    if let (Some(drift), Some(written)) = (drift_ppb, &clock.value.drift)
        && drift < 0
    {
        let finding = Diagnostic::new("scenario::value", "the bound of a drift cannot be negative");
        check.push(finding.at(written.span.clone(), "negative").help("drifts are drawn from minus this to this"));
        return None;
    }
    Some(ClockBounds { skew_ns: skew_ns?, drift_ppb: drift_ppb?.unsigned_abs() })
}
