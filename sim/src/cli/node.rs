//! `sim node`.

use std::{fmt::Write, io};

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use super::{Exit, output};
use crate::{
    engine::advice::{Need, Question, advise},
    kernel::time::{MILLISECOND, SECOND},
    maelstrom::serve::{
        INCARNATION_MAX, Options, ReplicaKind, Session, run,
        tradeoff::{Advised, Adviser, Kind, Tradeoff},
    },
    protocols::gossip::{Mode, PayloadKind},
    scenario::{
        MODES, ObjectName, PAYLOADS,
        diagnostic::suggestion,
        units::{Duration, Unit},
    },
    services::{KvKind, STORES},
};

/// Serve one replica as a node of the Maelstrom protocol: a JSON message per line on standard input and output.
///
/// The replica is the one that the simulator runs, on the clocks of this machine. Logs go to standard error. It ends at
/// the end of its input.
#[derive(Debug, Args)]
#[command(after_long_help = after_help())]
pub(super) struct Node {
    /// Which replica; `sim node --help` lists them.
    replica: String,

    /// Gossip: the direction of a round. Default push for counters, push-pull for all others.
    #[arg(long, value_parser = choice(MODES, [Mode::Push, Mode::Pull, Mode::PushPull]))]
    mode: Option<Mode>,

    /// Gossip: what messages carry. Default state.
    #[arg(long, value_parser = choice(PAYLOADS, [PayloadKind::State, PayloadKind::Delta, PayloadKind::Digest]))]
    payload: Option<PayloadKind>,

    /// Gossip: send updates at once as well. Default true for broadcast, false for all others.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    eager: Option<bool>,

    /// Gossip: the mean time between rounds. Default 100ms.
    #[arg(long, value_name = "DURATION", value_parser = positive)]
    interval: Option<u64>,

    /// Gossip: by how much the time between rounds varies. Default a tenth of the interval.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    jitter: Option<u64>,

    /// Gossip: how many peers a round addresses. Default 1.
    #[arg(long, value_name = "PEERS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    fanout: Option<u32>,

    /// occ: the store.
    #[arg(long, default_value = "lin-kv", value_parser = choice(STORES, KvKind::ALL))]
    store: KvKind,

    /// occ: how long the store may take to answer one request.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive)]
    rpc_timeout: u64,

    /// occ, lin-kv-proxy: how long an operation may take; clients are to wait longer. Default 4s, and 800ms for the proxy, whose
    /// clients wait for a second.
    #[arg(long, value_name = "DURATION", value_parser = positive)]
    deadline: Option<u64>,

    /// How often this node was started before and lost its memory: a number that it did not have yet. By default the environment's
    /// `SIM_INCARNATION`, which `sim drive` sets, or 0.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=i64::from(INCARNATION_MAX)))]
    incarnation: Option<u32>,
}

/// A name from a list, and what it stands for.
fn choice<T, const N: usize>(
    names: &'static [(&'static str, &'static str)],
    values: [T; N],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let parser = PossibleValuesParser::new(names.iter().map(|(name, doc)| PossibleValue::new(name).help(*doc)));
    parser.map(move |name| {
        let at = names.iter().position(|(known, _)| *known == name);
        values[at.expect("the parser lets only these names pass")]
    })
}

fn duration(text: &str) -> Result<u64, String> {
    Duration::parse(text).map_err(|_| format!("`{text}` is not {}", Duration::EXPECTED))
}

fn positive(text: &str) -> Result<u64, String> {
    duration(text).and_then(|ns| if ns > 0 { Ok(ns) } else { Err("it must be longer than 0s".to_owned()) })
}

fn after_help() -> String {
    let width = ReplicaKind::ALL.iter().map(|kind| kind.name().len()).max().unwrap_or(0);
    let mut replicas = String::new();
    for kind in ReplicaKind::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(replicas, "  {:width$}  {}", kind.name(), kind.doc());
    }
    format!(
        "Replicas, with the requests that they answer:\n{replicas}\n\
         All of them answer init, topology, crdt_verify and tradeoff_analysis; those that gossip also gossip_status. tradeoff_analysis \
         runs a small grid of simulations and can take seconds, in which the node does nothing else.\n\n\
         Examples:\n  \
         maelstrom test -w pn-counter --bin ./sim --time-limit 20 --nemesis partition -- node pn-counter\n  \
         maelstrom test -w broadcast --bin ./sim --time-limit 20 -- node broadcast --interval 200ms\n  \
         maelstrom test -w g-counter --bin ./sim --time-limit 20 -- node occ --store seq-kv\n\n\
         Exit codes: 0 the input ended or nobody reads the output, 2 usage, 70 the streams cannot be used."
    )
}

impl Node {
    pub(super) fn execute(&self) -> Exit {
        let Some(kind) = ReplicaKind::named(&self.replica) else {
            let help = suggestion(&self.replica, "replicas", ReplicaKind::ALL.iter().map(|kind| kind.name()));
            return output::refuse(&format!("there is no replica `{}`: {help}", self.replica), Exit::Usage);
        };
        let options = Options {
            incarnation: self.incarnation.or_else(restarts).unwrap_or(0),
            mode: self.mode,
            payload: self.payload,
            eager: self.eager,
            interval_ns: self.interval,
            jitter_ns: self.jitter,
            fanout: self.fanout,
            store: self.store,
            rpc_timeout_ns: self.rpc_timeout,
            deadline_ns: self.deadline.unwrap_or(if kind == ReplicaKind::LinKvProxy {
                800 * MILLISECOND
            } else {
                4 * SECOND
            }),
        };
        let mut session = Session::new(kind, options, Adviser::new(Box::new(measured)));
        let served = run(&mut session, io::stdin(), &mut io::stdout());
        tracing::info!("ended: {:?}", session.counts());
        match served {
            Ok(()) => Exit::Pass,
            Err(error) => output::refuse(&format!("cannot go on: {error}"), Exit::Internal),
        }
    }
}

/// How often the environment says that the node was started before.
fn restarts() -> Option<u32> {
    std::env::var("SIM_INCARNATION").ok()?.parse().ok().filter(|number| *number <= INCARNATION_MAX)
}

/// The advice of `sim advise` under two seeds, for three replicas.
fn measured(asked: &Tradeoff) -> Result<Advised, String> {
    let question = Question {
        object: match asked.kind {
            Kind::Counter => ObjectName::Counter,
            Kind::Set => ObjectName::Set,
            Kind::Register => ObjectName::Register,
            Kind::Text => ObjectName::Sequence,
            Kind::Cart => ObjectName::Cart,
        },
        replicas: 3,
        partition_ppm: asked.partition_ppm,
        conflict_ppm: asked.conflict_ppm,
        needs: vec![if asked.never_stale { Need::NeverReadStale } else { Need::NeverRefuseWrites }],
        seeds: 2,
        ..Question::default()
    };
    let advice = advise(&question)?;
    let unmet = if advice.meets_all_needs { "" } else { " No candidate meets every need." };
    let reasoning = format!("{}{unmet} Measured; reproduce: {}", advice.reasons.join(" "), advice.reproduce);
    Ok(Advised { recommendation: advice.recommendation.name(), reasoning })
}
