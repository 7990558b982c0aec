//! `[network]`, `[[link]]` and `[services]`.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{Check, distribution::distribution};
use crate::{
    kernel::{
        disturbance::Burst,
        draws::Probability,
        ids::NodeId,
        latency::LatencyTable,
        plan::{Bandwidth, ClassOf, LinkClass},
        time::MILLISECOND,
    },
    scenario::{
        diagnostic::Diagnostic,
        distribution::Distribution,
        file::{At, BurstTable, Choice, Latency, LinkTable, NetworkTable, ScenarioFile, ServicesTable, Written},
        names::{Accepted, Names},
        plan::{ClusterPlan, LinkPlan},
        topology::Graph,
        units::{Percentage, Size, Throughput},
    },
    services::{KvConfig, KvKind},
};

/// Messages wait for a busy link up to this many bytes, unless the scenario says otherwise.
const QUEUE_BYTES: u64 = 256 << 10;

/// The latency of links, unless the scenario says otherwise.
const LATENCY_NS: u64 = MILLISECOND;

/// The most distinct conditions of links.
const CLASSES_MAX: usize = 60_000;

/// What a section says about links; what it leaves out is taken from elsewhere.
#[derive(Clone, Debug, Default)]
struct Conditions {
    latency: Option<Arc<LatencyTable>>,
    loss: Option<Probability>,
    duplicate: Option<Probability>,
    burst: Option<Burst>,
    bytes_per_second: Option<u64>,
    queue_bytes: Option<u64>,
}

/// The keys that `[network]` and `[[link]]` share.
struct Keys<'a> {
    latency: Option<&'a At<Choice<Latency>>>,
    loss: Option<&'a Written<Percentage>>,
    duplicate: Option<&'a Written<Percentage>>,
    burst: Option<&'a At<BurstTable>>,
    bandwidth: Option<&'a Written<Throughput>>,
    queue: Option<&'a Written<Size>>,
}

impl Keys<'_> {
    fn read(&self, check: &mut Check) -> Option<Conditions> {
        let before = check.findings.len();
        let conditions = Conditions {
            latency: self
                .latency
                .and_then(|latency| distribution(check, latency))
                .map(|latency| Arc::new(latency.table())),
            loss: self.loss.and_then(|loss| check.read(loss)),
            duplicate: self.duplicate.and_then(|duplicate| check.read(duplicate)),
            burst: self.burst.and_then(|table| burst(check, &table.value)),
            bytes_per_second: self.bandwidth.and_then(|bandwidth| check.read(bandwidth)),
            queue_bytes: self.queue.and_then(|queue| check.read(queue)),
        };
        (check.findings.len() == before).then_some(conditions)
    }
}

impl Conditions {
    /// The conditions of `base`, where these say nothing else.
    fn over(self, base: &LinkClass) -> LinkClass {
        let base_queue = base.bandwidth.map(|bandwidth| bandwidth.queue_bytes);
        let bytes_per_second = self.bytes_per_second.or(base.bandwidth.map(|bandwidth| bandwidth.bytes_per_second));
        LinkClass {
            latency: self.latency.unwrap_or_else(|| Arc::clone(&base.latency)),
            loss: self.loss.unwrap_or(base.loss),
            duplicate: self.duplicate.unwrap_or(base.duplicate),
            burst: self.burst.or(base.burst),
            bandwidth: bytes_per_second.map(|bytes_per_second| Bandwidth {
                bytes_per_second,
                queue_bytes: self.queue_bytes.or(base_queue).unwrap_or(QUEUE_BYTES),
            }),
        }
    }
}

/// A link that always takes the same time and loses nothing.
fn perfect(latency_ns: u64) -> LinkClass {
    LinkClass {
        latency: Arc::new(LatencyTable::constant(latency_ns)),
        loss: Probability::ZERO,
        duplicate: Probability::ZERO,
        burst: None,
        bandwidth: None,
    }
}

/// The conditions of a burst.
pub(super) fn burst(check: &mut Check, table: &BurstTable) -> Option<Burst> {
    let (enter, exit) = (check.read(&table.enter), check.read(&table.exit));
    let loss = check.read_or(table.loss.as_ref(), Probability::ONE);
    Some(Burst { enter: enter?, exit: exit?, loss: loss? })
}

/// The classes of links, each once.
#[derive(Debug, Default)]
struct Classes(Vec<LinkClass>);

impl Classes {
    fn number(&mut self, class: LinkClass) -> u16 {
        let known = self.0.iter().position(|other| *other == class);
        known.unwrap_or_else(|| {
            self.0.push(class);
            self.0.len() - 1
        }) as u16
    }
}

pub(super) fn network(
    check: &mut Check,
    file: &ScenarioFile,
    names: Option<&Names>,
    cluster: Option<&ClusterPlan>,
    services: Option<&Services>,
) -> Option<LinkPlan> {
    let table = &file.network;
    let general = keys(table).read(check);
    sense(check, table);
    let client_latency = match &table.client_latency {
        Some(latency) => distribution(check, latency),
        None => Some(Distribution::Constant { latency_ns: 0 }),
    };
    let links: Vec<_> = file.link.iter().map(|link| read_link(check, link, table, names, cluster)).collect();
    let general = general?.over(&perfect(LATENCY_NS));
    let (cluster, services) = cluster.zip(services)?;
    let mut classes = Classes::default();
    let class_of = match &cluster.regions {
        None => ClassOf::Uniform(classes.number(general.clone())),
        Some(regions) => {
            let count = regions.names.len();
            let mut class = Vec::with_capacity(count * count);
            for (pair, latency) in regions.latency.iter().enumerate() {
                if latency.is_none() && table.latency.is_none() {
                    let (a, b) = (&regions.names[pair / count], &regions.names[pair % count]);
                    let finding =
                        Diagnostic::new("scenario::missing-key", format!("there is no latency from {a} to {b}"));
                    let help = format!("add `\"{a}-{b}\"`, or `latency` in [network] for all pairs that are left out");
                    check.push(finding.at(regions.place.clone(), "these regions").help(help));
                    return None;
                }
                let latency =
                    latency.as_ref().map_or_else(|| Arc::clone(&general.latency), |latency| Arc::new(latency.table()));
                class.push(classes.number(LinkClass { latency, ..general.clone() }));
            }
            ClassOf::Regions { region: regions.of.clone(), regions: count as u16, class }
        }
    };
    let client_class = classes.number(LinkClass { latency: Arc::new(client_latency?.table()), ..perfect(0) });
    let mut overrides: BTreeMap<(NodeId, NodeId), u16> = BTreeMap::new();
    for link in links {
        for (pair, conditions) in link? {
            let base = classes.0[usize::from(class_between(&class_of, services.at, pair))].clone();
            overrides.insert(pair, classes.number(conditions.over(&base)));
        }
    }
    if classes.0.len() > CLASSES_MAX {
        check.push(Diagnostic::new("scenario::value", format!("there are more than {CLASSES_MAX} kinds of links")));
        return None;
    }
    Some(LinkPlan { classes: classes.0, class_of, overrides: overrides.into_iter().collect(), client_class })
}

fn keys(table: &NetworkTable) -> Keys<'_> {
    Keys {
        latency: table.latency.as_ref(),
        loss: table.loss.as_ref(),
        duplicate: table.duplicate.as_ref(),
        burst: table.burst.as_ref(),
        bandwidth: table.bandwidth.as_ref(),
        queue: table.queue.as_ref(),
    }
}

/// What no network is like.
fn sense(check: &mut Check, table: &NetworkTable) {
    if let Some(loss) = &table.loss
        && loss.parse().is_ok_and(|loss| loss == Probability::ONE)
    {
        let finding = Diagnostic::new("scenario::contradiction", "this network loses every message");
        check.push(
            finding.at(loss.span.clone(), "nothing ever arrives").help("use less than 100%, or a fault that ends"),
        );
    }
    if let (Some(queue), None) = (&table.queue, &table.bandwidth) {
        let finding = Diagnostic::new("scenario::contradiction", "a queue needs a bandwidth");
        check.push(
            finding.at(queue.span.clone(), "nothing ever waits here").help("add `bandwidth`, for example \"10MB/s\""),
        );
    }
}

/// The class of a link before overrides. A store is in the region of the replica beside it.
fn class_between(class_of: &ClassOf, store_at: NodeId, (from, to): (NodeId, NodeId)) -> u16 {
    match class_of {
        ClassOf::Uniform(class) => *class,
        ClassOf::Regions { region, regions, class } => {
            let of = |node: NodeId| usize::from(*region.get(node.index()).unwrap_or(&region[store_at.index()]));
            class[of(from) * usize::from(*regions) + of(to)]
        }
    }
}

/// Directed links with what is said about them.
type Links = Vec<((NodeId, NodeId), Conditions)>;

fn read_link(
    check: &mut Check,
    link: &At<LinkTable>,
    network: &NetworkTable,
    names: Option<&Names>,
    cluster: Option<&ClusterPlan>,
) -> Option<Links> {
    let table = &link.value;
    let conditions = Keys {
        latency: table.latency.as_ref(),
        loss: table.loss.as_ref(),
        duplicate: table.duplicate.as_ref(),
        burst: table.burst.as_ref(),
        bandwidth: table.bandwidth.as_ref(),
        queue: table.queue.as_ref(),
    }
    .read(check);
    if let (Some(queue), None, None) = (&table.queue, &table.bandwidth, &network.bandwidth) {
        let finding = Diagnostic::new("scenario::contradiction", "a queue needs a bandwidth");
        check.push(
            finding.at(queue.span.clone(), "nothing ever waits here").help("add `bandwidth`, for example \"10MB/s\""),
        );
    }
    let (from, to, is_both) = match (&table.from, &table.to, &table.between) {
        (Some(from), Some(to), None) => (from, to, false),
        (None, None, Some(between)) => (&between.value.0, &between.value.1, true),
        _ => {
            let finding = Diagnostic::new("scenario::no-kind", "a link needs both of its ends");
            let help = "write `from` and `to` for one direction, or `between = [\"n1\", \"n2\"]` for both";
            check.push(finding.at(link.span.clone(), "this link").help(help));
            return None;
        }
    };
    let names = names?;
    let ends = (check.keep(names.resolve(from, Accepted::Nodes)), check.keep(names.resolve(to, Accepted::Nodes)));
    let (a, b) = ends.0.zip(ends.1)?;
    existing(check, (a, &from.span), (b, &to.span), names, cluster?)?;
    let conditions = conditions?;
    let mut links = vec![((a, b), conditions.clone())];
    if is_both {
        links.push(((b, a), conditions));
    }
    Some(links)
}

/// The link must exist; on graphs that are drawn, that is not known.
fn existing(
    check: &mut Check,
    (a, a_place): (NodeId, &Range<usize>),
    (b, b_place): (NodeId, &Range<usize>),
    names: &Names,
    cluster: &ClusterPlan,
) -> Option<()> {
    let replicas = names.endpoints().replicas;
    let are_replicas = a.0 < replicas && b.0 < replicas;
    let exists = if a == b || (a.0 >= replicas && b.0 >= replicas) {
        false
    } else if cluster.graph == Graph::Complete || (are_replicas && !cluster.graph.is_fixed()) {
        true
    } else if are_replicas {
        match cluster.graph.build(replicas, 0) {
            crate::kernel::topology::Topology::Sparse(rows) => rows.link(a.0, b.0).is_some(),
            crate::kernel::topology::Topology::Complete { .. } => true,
        }
    } else {
        false
    };
    if !exists {
        let message = format!("there is no link from {} to {}", names.name(a), names.name(b));
        let finding = Diagnostic::new("scenario::topology", message)
            .at(b_place.clone(), "to here")
            .at(a_place.clone(), "from here");
        check.push(
            finding.help("only links of the topology can be described; stores have links on a complete graph only"),
        );
    }
    exists.then_some(())
}

/// The stores with their place.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub(super) stores: Vec<KvConfig>,
    pub(super) at: NodeId,
}

/// Whose stores ours can be like.
const COMPATIBILITIES: &[(&str, &str)] = &[("maelstrom", "`seq-kv` with a ring of 32 states, in which reads go back")];

pub(super) fn services(check: &mut Check, table: &ServicesTable, names: Option<&Names>) -> Option<Services> {
    let staleness_ns = table.staleness.as_ref().map(|staleness| check.read(staleness));
    let internal =
        table.lww_replicas.as_ref().map(|count| check.within(count, "the number of internal replicas", 1..=64));
    let compat = table.compat.as_ref().map(|compat| check.choose(compat, "compatibility", COMPATIBILITIES));
    let names = names?;
    let at = match &table.at {
        None => NodeId(0),
        Some(at) => check.keep(names.resolve(at, Accepted::Replicas))?,
    };
    for (kind, place, what) in [
        (KvKind::Seq, table.staleness.as_ref().map(|written| &written.span), "staleness"),
        (KvKind::Lww, table.lww_replicas.as_ref().map(|number| &number.span), "lww_replicas"),
        (KvKind::Seq, table.compat.as_ref().map(|name| &name.span), "compat"),
    ] {
        if let Some(place) = place
            && !names.stores().contains(&kind)
        {
            let message = format!("`{what}` belongs to {}, which no system uses", kind.name());
            let finding = Diagnostic::new("scenario::contradiction", message).at(place.clone(), "has no effect");
            check.push(finding.help("leave it out, or use the store"));
        }
    }
    let mut stores: Vec<KvConfig> = names.stores().iter().map(|kind| KvConfig::new(*kind)).collect();
    for store in &mut stores {
        if let Some(staleness_ns) = staleness_ns {
            store.staleness_ns_max = staleness_ns?;
        }
        if let Some(internal) = internal {
            store.internal_replicas = internal?;
        }
        if let Some(compat) = compat {
            store.compat_maelstrom = compat? == 0;
        }
    }
    Some(Services { stores, at })
}
