//! A million replicas gossip one counter on a random graph of degree 8 until all of them show the same value.
//!
//! ```text
//! cargo run --release --example million_nodes [NODES]
//! ```
//!
//! Time and memory are read from `/proc`, so this runs on Linux.

#[path = "../benches/loops/mod.rs"]
#[expect(dead_code, reason = "the bare loop is for comparisons")]
mod loops;

use std::fs;

use crdts::GCounter;
use sim::{
    kernel::{
        ids::NodeId,
        node::Node,
        observer::{Observer, View},
        time::Time,
    },
    protocols::gossip::{Gossip, GossipConfig, Mode, PayloadKind},
    services::Kv,
};

/// Replicas that add 1 each.
const WRITERS: u32 = 5;

/// Counts the replicas that show the sum of all additions.
#[derive(Clone, Debug)]
struct Agreement {
    missing: u32,
    converged_at: Option<Time>,
}

impl Observer<Gossip<GCounter>, Kv<i128>> for Agreement {
    fn changed(&mut self, now: Time, replica: NodeId, view: &View<'_, Gossip<GCounter>, Kv<i128>>) {
        // A counter that only grows comes to its final value once.
        if view.nodes[replica.index()].value() == i128::from(WRITERS) {
            self.missing -= 1;
            if self.missing == 0 {
                self.converged_at = Some(now);
            }
        }
    }
}

/// The number in a line of `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Hundredths of a second since the machine started.
fn uptime_cs() -> u64 {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    uptime.split_whitespace().next().and_then(|text| text.replace('.', "").parse().ok()).unwrap_or(0)
}

/// Hundredths of a second that this process has computed: unlike the time on the wall, not stretched by other processes.
fn computed_cs() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let numbers = stat.rsplit(')').next().unwrap_or_default();
    numbers.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// As seconds.
fn seconds(cs: u64) -> String {
    format!("{}.{:02} s", cs / 100, cs % 100)
}

fn main() {
    let nodes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let (started_cs, idle_cs) = (uptime_cs(), computed_cs());
    let config = GossipConfig { mode: Mode::PushPull, payload: PayloadKind::State, ..GossipConfig::default() };
    let agreement = Agreement { missing: nodes, converged_at: None };
    let mut world = loops::world_of(config, nodes, WRITERS, 60, agreement);
    let booted_cs = computed_cs();
    while world.observer().converged_at.is_none() && world.step().is_none() {}
    let run_cs = computed_cs() - booted_cs;

    println!("{nodes} nodes, {} events", world.events());
    match world.observer().converged_at {
        Some(at) => println!("converged at {at} of virtual time"),
        None => println!("not converged: {} nodes are behind", world.observer().missing),
    }
    println!("computed {} to set up and {} to run", seconds(booted_cs - idle_cs), seconds(run_cs));
    println!("wall time {}", seconds(uptime_cs() - started_cs));
    println!("{} events/s of computing", world.events() * 100 / run_cs.max(1));
    println!("peak memory {} MiB, of which the world {} MiB", status_kib("VmHWM") / 1024, world.bytes() >> 20);
    println!("fingerprint {}", world.fingerprint());
}
