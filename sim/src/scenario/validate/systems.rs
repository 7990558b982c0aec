//! `[[system]]`: protocols, and whether they fit the rest of the scenario.

use std::collections::BTreeMap;

use super::{Check, external, workload::Work};
use crate::{
    kernel::ids::NodeId,
    protocols::{
        gossip::{GossipConfig, Mode, PayloadKind},
        lock::LockConfig,
        occ::OccConfig,
    },
    scenario::{
        diagnostic::{Diagnostic, suggestion},
        file::{At, BackoffTable, GossipTable, LockTable, OccTable, ScenarioFile, SystemTable, Written},
        names::Names,
        plan::{CrdtName, ObjectName, ProtocolSpec, SystemSpec},
        topology::Graph,
        units::Duration,
    },
    services::{KvKind, STORES},
    workloads::{AmountDistribution, Operations},
    zoo::{BUGS, Bug, catalogue},
};

/// The accepted protocols.
pub const PROTOCOLS: &[(&str, &str)] = &[
    ("naive", "read, modify, write, broadcast the whole value; the last writer wins"),
    ("naive-delta", "broadcast operations without identity, and do them as they come"),
    ("occ", "optimistic concurrency control: read and compare-and-swap at a store, with bounded retry"),
    ("lock", "locking: a lease on lin-kv guards read, modify, write"),
    ("gossip", "gossip of a CRDT: push, pull or push-pull; state, delta or digest"),
    (
        "external",
        "programs in any language that speak the Maelstrom protocol, one process or WebAssembly module a replica",
    ),
];

/// The accepted data types of gossip.
pub const CRDTS: &[(&str, &str)] = &[
    ("g-counter", "a counter that only grows: one number per replica"),
    ("pn-counter", "a counter that grows and shrinks: two numbers per replica"),
    ("g-set", "a set that only grows: merged by union"),
    ("2p-set", "a set whose elements can be removed, once and for all"),
    ("or-set", "a set in which a removal takes what it has seen, so that a concurrent addition wins"),
    ("or-set-tombstones", "the same, with a tombstone for every removed addition"),
    ("rw-set", "a set in which a removal wins over a concurrent addition"),
    ("lww-register", "a register in which the last writer wins, by logical clocks"),
    ("mv-register", "a register that keeps concurrent writes as siblings"),
    ("rga", "a text as a replicated growable array"),
    ("fugue", "a text by Fugue, which does not interleave what people type at one place"),
    ("cart", "a shopping cart: a map of items, with quantities that add up"),
];

/// The accepted directions of gossip.
pub const MODES: &[(&str, &str)] =
    &[("push", "knowledge goes to the peer"), ("pull", "knowledge comes from the peer"), ("push-pull", "both ways")];

/// What gossip can send.
pub const PAYLOADS: &[(&str, &str)] = &[
    ("state", "the full state"),
    ("delta", "what the peer has not acknowledged yet"),
    ("digest", "a digest first, then what is missing"),
];

/// The most attempts of an operation.
const RETRIES_MAX: u32 = 1_000_000;

/// What systems have to fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) names: Option<&'a Names>,
    pub(super) graph: Option<&'a Graph>,
    pub(super) work: Option<&'a Work>,
}

/// The stores that any system uses, in the fixed order of all stores; programs may use any.
pub(super) fn stores(file: &ScenarioFile) -> Vec<KvKind> {
    if file.system.iter().any(|system| system.value.external.is_some()) {
        return KvKind::ALL.to_vec();
    }
    let is_used = |kind: &KvKind| {
        let mut options = file.system.iter().filter_map(|system| system.value.occ.as_ref());
        options.any(|occ| occ.value.store.value == kind.name())
            || *kind == KvKind::Lin && file.system.iter().any(|system| needs_lin(&system.value))
    };
    KvKind::ALL.into_iter().filter(is_used).collect()
}

/// Does a system work on `lin-kv` without naming it?
fn needs_lin(system: &SystemTable) -> bool {
    let bug = system.bug.as_ref().and_then(|bug| catalogue::named(&bug.value));
    system.lock.is_some() || bug.is_some_and(Bug::is_of_store)
}

pub(super) fn systems(check: &mut Check, file: &ScenarioFile, around: &Surroundings<'_>) -> Vec<SystemSpec> {
    if file.system.is_empty() {
        let finding = Diagnostic::new("scenario::empty", "a scenario needs at least one system");
        check.push(finding.help("add [[system]] with a name and a protocol, for example `naive = {}`"));
    }
    let mut names: BTreeMap<&str, &At<String>> = BTreeMap::new();
    let mut specs = Vec::new();
    for system in &file.system {
        let name = &system.value.name;
        if let Some(first) = names.insert(&name.value, name) {
            let finding = Diagnostic::new("scenario::overlap", format!("two systems are called `{}`", name.value));
            check.push(
                finding.at(name.span.clone(), "again").at(first.span.clone(), "first").help("give each its own name"),
            );
        }
        let is_legible = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.value.is_empty() || name.value.len() > 64 || !name.value.bytes().all(is_legible) {
            let finding =
                Diagnostic::new("scenario::value", format!("`{}` cannot be the name of a system", name.value));
            check.push(
                finding
                    .at(name.span.clone(), "here")
                    .help("use up to 64 letters, digits, dashes, dots and underscores"),
            );
        }
        if let Some(protocol) = protocol(check, system, around) {
            specs.push(SystemSpec { name: name.value.clone(), protocol });
        }
    }
    specs
}

fn protocol(check: &mut Check, system: &At<SystemTable>, around: &Surroundings<'_>) -> Option<ProtocolSpec> {
    let table = &system.value;
    let kinds = [
        ("naive", table.naive.as_ref().map(|kind| kind.span.clone())),
        ("naive-delta", table.naive_delta.as_ref().map(|kind| kind.span.clone())),
        ("occ", table.occ.as_ref().map(|kind| kind.span.clone())),
        ("lock", table.lock.as_ref().map(|kind| kind.span.clone())),
        ("gossip", table.gossip.as_ref().map(|kind| kind.span.clone())),
        ("bug", table.bug.as_ref().map(|kind| kind.span.clone())),
        ("external", table.external.as_ref().map(|kind| kind.span.clone())),
    ];
    let kind = check.exactly_one(&system.span, "system", &kinds)?;
    if let Some(options) = &table.external {
        return external::external(check, options, around);
    }
    if let Some(object) = around.work.map(|work| ObjectName::of(&work.config.operations)).filter(|it| it.is_foreign()) {
        let message = format!("clients ask for `{}`, of which only programs know anything", object.name());
        let finding = Diagnostic::new("scenario::contradiction", message);
        let place = kinds[kind].1.clone().unwrap_or_else(|| system.span.clone());
        check.push(finding.at(place, "this protocol").help("use `external = { command = [\"...\"] }`"));
        return None;
    }
    if let Some(naive) = &table.naive_delta {
        if around.graph.is_some_and(|graph| *graph != Graph::Complete) {
            let finding = Diagnostic::new("scenario::contradiction", "`naive-delta` needs a complete topology");
            let help = "increments are not passed on, so replicas that are no neighbours would never learn of them";
            check.push(finding.at(naive.span.clone(), "this protocol").help(help));
        }
        return Some(ProtocolSpec::NaiveDelta);
    }
    if let Some(options) = &table.occ {
        return occ(check, &options.value, around);
    }
    if let Some(options) = &table.lock {
        return lock(check, &options.value, around);
    }
    if let Some(name) = &table.bug {
        return flawed(check, name, around);
    }
    if let Some(options) = &table.gossip {
        return gossip(check, &options.value, around);
    }
    Some(ProtocolSpec::Naive)
}

/// A known mistake, which has to be about the object that clients see.
fn flawed(check: &mut Check, name: &At<String>, around: &Surroundings<'_>) -> Option<ProtocolSpec> {
    let object = around.work.map(|work| ObjectName::of(&work.config.operations).name());
    let fitting = || BUGS.iter().filter(|bug| object.is_none_or(|object| bug.object == object)).map(|bug| bug.name);
    let Some(bug) = catalogue::named(&name.value) else {
        let finding = Diagnostic::new("scenario::unknown-name", format!("there is no bug `{}`", name.value));
        check.push(finding.at(name.span.clone(), "no such bug").help(suggestion(&name.value, "bugs", fitting())));
        return None;
    };
    if let Some(object) = object.filter(|object| *object != bug.object) {
        let message = format!("`{}` is a mistake about a {}, and clients see a {object}", bug.name, bug.object);
        let finding = Diagnostic::new("scenario::contradiction", message);
        let help = format!("bugs of a {object}: {}", fitting().collect::<Vec<_>>().join(", "));
        check.push(finding.at(name.span.clone(), "does not fit `object` in [workload]").help(help));
        return None;
    }
    Some(ProtocolSpec::Flawed { bug })
}

fn lock(check: &mut Check, table: &LockTable, around: &Surroundings<'_>) -> Option<ProtocolSpec> {
    let node = around.names.and_then(|names| names.store(KvKind::Lin)).unwrap_or(NodeId(0));
    let mut config = LockConfig::new(node);
    let timeout_ns = around.work.map(|work| work.timeout_ns);
    if let Some(timeout_ns) = timeout_ns {
        config.deadline_ns = config.deadline_ns.min(timeout_ns - timeout_ns / 10).max(1);
    }
    if let Some(lease) = &table.lease {
        config.lease_ns = check.positive(lease, "a lease")?;
    }
    if let Some(wait) = &table.wait {
        config.wait_ns_max = check.positive(wait, "a wait")?;
    }
    if let Some(rpc_timeout) = &table.rpc_timeout {
        config.rpc_timeout_ns = check.positive(rpc_timeout, "a timeout of requests")?;
    }
    if let Some(deadline) = &table.deadline {
        config.deadline_ns = timely(check, deadline, timeout_ns)?;
    }
    Some(ProtocolSpec::Lock { config })
}

/// A deadline, which has to be before the timeout of clients.
fn timely(check: &mut Check, deadline: &Written<Duration>, timeout_ns: Option<u64>) -> Option<u64> {
    let deadline_ns = check.positive(deadline, "a deadline")?;
    if let Some(timeout_ns) = timeout_ns.filter(|timeout_ns| deadline_ns >= *timeout_ns) {
        let timeout = crate::kernel::time::Nanos(timeout_ns);
        let message = format!("the deadline is not before the timeout of clients ({timeout})");
        let finding =
            Diagnostic::new("scenario::contradiction", message).at(deadline.span.clone(), "nobody waits this long");
        check.push(finding.help("lower the deadline, or raise `timeout` in [workload]"));
    }
    Some(deadline_ns)
}

fn occ(check: &mut Check, table: &OccTable, around: &Surroundings<'_>) -> Option<ProtocolSpec> {
    let store = check.choose(&table.store, "store", STORES).map(|at| KvKind::ALL[at]);
    // Endpoints are unknown after an error elsewhere; the options are still judged.
    let node = store.and_then(|store| around.names?.store(store)).unwrap_or(NodeId(0));
    let mut config = OccConfig::new(node);
    let timeout_ns = around.work.map(|work| work.timeout_ns);
    if let Some(timeout_ns) = timeout_ns {
        config.deadline_ns = config.deadline_ns.min(timeout_ns - timeout_ns / 10).max(1);
    }
    let retries = table.retries.as_ref().map(|retries| check.within(retries, "the number of retries", 0..=RETRIES_MAX));
    let backoff = table.backoff.as_ref().map(|table| backoff(check, &table.value));
    if let Some(deadline) = &table.deadline {
        config.deadline_ns = timely(check, deadline, timeout_ns)?;
    }
    config.rpc_timeout_ns = config.rpc_timeout_ns.min(config.deadline_ns);
    if let Some(rpc) = &table.rpc_timeout {
        config.rpc_timeout_ns = check.positive(rpc, "an RPC timeout")?;
        if config.rpc_timeout_ns > config.deadline_ns {
            let deadline = crate::kernel::time::Nanos(config.deadline_ns);
            let message = format!("the RPC timeout is after the deadline of the operation ({deadline})");
            let finding = Diagnostic::new("scenario::contradiction", message).at(rpc.span.clone(), "never reached");
            check.push(finding.help("lower the RPC timeout, or raise the deadline"));
        }
    }
    if let Some(retries) = retries {
        config.retries_max = retries?;
    }
    if let Some(backoff) = backoff {
        (config.backoff_ns_min, config.backoff_ns_max) = backoff?;
    }
    Some(ProtocolSpec::Occ { store: store?, config })
}

/// The first and the longest wait.
fn backoff(check: &mut Check, BackoffTable { min, max }: &BackoffTable) -> Option<(u64, u64)> {
    let waits = (check.positive(min, "a backoff"), check.positive(max, "a backoff"));
    let (first, longest) = waits.0.zip(waits.1)?;
    if first > longest {
        let (low, high) = ((min.span.clone(), "this is more"), (max.span.clone(), "this is less"));
        check.contradiction("the longest backoff is below the first", high, low, "exchange them");
        return None;
    }
    Some((first, longest))
}

fn gossip(check: &mut Check, table: &GossipTable, around: &Surroundings<'_>) -> Option<ProtocolSpec> {
    let crdt = check.choose(&table.crdt, "CRDT", CRDTS).map(|at| CrdtName::ALL[at]);
    let mut config = GossipConfig::default();
    let mut is_sound = true;
    if let Some(mode) = &table.mode {
        match check.choose(mode, "mode", MODES) {
            Some(at) => config.mode = [Mode::Push, Mode::Pull, Mode::PushPull][at],
            None => is_sound = false,
        }
    }
    if let Some(payload) = &table.payload {
        match check.choose(payload, "payload", PAYLOADS) {
            Some(at) => config.payload = [PayloadKind::State, PayloadKind::Delta, PayloadKind::Digest][at],
            None => is_sound = false,
        }
    }
    config.eager = table.eager.unwrap_or(config.eager);
    if let Some(interval) = &table.interval {
        config.interval_ns = check.positive(interval, "an interval")?;
    }
    config.jitter_ns = config.jitter_ns.min(config.interval_ns / 10);
    if let Some(jitter) = &table.jitter {
        config.jitter_ns = check.read(jitter)?;
        if config.jitter_ns > config.interval_ns {
            let finding = Diagnostic::new("scenario::contradiction", "the jitter is longer than the interval");
            check.push(
                finding
                    .at(jitter.span.clone(), "rounds cannot be earlier than now")
                    .help("use a tenth of the interval"),
            );
        }
    }
    if let Some(fanout) = &table.fanout {
        let others = around.names.map_or(u32::MAX, |names| names.endpoints().replicas - 1);
        config.fanout = check.within(fanout, "the fan-out", 1..=others.max(1))?;
    }
    if let (Some(found), Some(work)) = (crdt, around.work)
        && found.object() != ObjectName::of(&work.config.operations)
    {
        fitting(check, table, found, ObjectName::of(&work.config.operations));
        is_sound = false;
    }
    if let (Some(CrdtName::GCounter), Some(work)) = (crdt, around.work)
        && let Operations::Counter(amounts) = &work.config.operations
        && let Some(least) = least_amount(amounts).filter(|least| *least < 0)
        && work.config.invokes(0)
    {
        let finding =
            Diagnostic::new("scenario::contradiction", format!("a g-counter cannot add {least}: it only grows"));
        let help = "use `pn-counter`, or amounts that are not negative";
        check.push(finding.at(table.crdt.span.clone(), "does not fit the amounts of the workload").help(help));
    }
    is_sound.then_some(ProtocolSpec::Gossip { crdt: crdt?, config })
}

/// Says that a data type is none of the object that clients see.
fn fitting(check: &mut Check, table: &GossipTable, found: CrdtName, object: ObjectName) {
    let fitting: Vec<&str> =
        CrdtName::ALL.into_iter().filter(|crdt| crdt.object() == object).map(CrdtName::name).collect();
    let message = format!("`{}` is a {}, and clients see a {}", found.name(), found.object().name(), object.name());
    let finding = Diagnostic::new("scenario::contradiction", message);
    let help = format!("data types of a {}: {}", object.name(), fitting.join(", "));
    check.push(finding.at(table.crdt.span.clone(), "does not fit `object` in [workload]").help(help));
}

/// The least amount that clients add.
fn least_amount(amount: &AmountDistribution) -> Option<i64> {
    match amount {
        AmountDistribution::Constant(amount) => Some(*amount),
        AmountDistribution::Uniform { min, .. } => Some(*min),
        AmountDistribution::Choice(amounts) => amounts.iter().copied().min(),
    }
}
