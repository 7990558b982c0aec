//! Reports for tests: one as a run would leave it, and two that no run would.

use super::model::{
    Availability, CheckVerdict, ConsistencyVerdict, Determinism, Expectation, FaultBite, FaultWindow, LatencyOf,
    Operations, Quantiles, Report, SCHEMA_VERSION, StaleReads, System, Verdict,
};

const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// A partition that naive replication does not survive, a store answers only in part, and a CRDT does not mind.
pub(super) fn report() -> Report {
    Report {
        schema: SCHEMA_VERSION,
        tool: "0.1.0".into(),
        scenario: "partition".into(),
        story: "Five replicas take increments while the network splits 2|3 for ten seconds. Who loses updates, who\n\
                refuses them, and how long after the heal until everybody agrees?"
            .into(),
        scenario_hash: "9f86d081884c7d659a2feaa0c55ad015".into(),
        seed: 1,
        reproduce: "sim run scenarios/partition.toml --seed 1".into(),
        verdict: Verdict::Fail,
        determinism: Determinism { tool: "sim".into(), version: "0.1.0".into() },
        horizon_ns: 40 * S,
        timeline: vec![
            FaultWindow {
                label: "partition at 5s".into(),
                kind: "partition".into(),
                from_ns: 5 * S,
                to_ns: Some(15 * S),
            },
            FaultWindow { label: "clock at 18s".into(), kind: "clock".into(), from_ns: 18 * S, to_ns: Some(19 * S) },
        ],
        systems: vec![naive(), occ(), pn_counter()],
    }
}

/// Every number as large as it gets, on a timeline that makes no sense.
pub(super) fn extreme() -> Report {
    let mut report = report();
    report.seed = u64::MAX;
    report.horizon_ns = u64::MAX;
    report.timeline = vec![
        FaultWindow { label: String::new(), kind: String::new(), from_ns: u64::MAX, to_ns: Some(0) },
        FaultWindow { label: "endless".into(), kind: "crash".into(), from_ns: 0, to_ns: None },
    ];
    let most = Some(u64::MAX);
    let quantiles = Quantiles { p50: most, p90: most, p99: most, max: most, count: u64::MAX, censored: u64::MAX };
    for system in &mut report.systems {
        system.name = "\u{0}日本語\u{301}|┆".repeat(9);
        system.ended_ns = u64::MAX;
        system.events = u64::MAX;
        system.convergence_time_ns = most;
        system.convergence_from_last_update_ns = most;
        system.convergence_from_last_heal_ns = most;
        system.convergence_observed_ns = most;
        system.visibility_latency_ns = Some(quantiles);
        system.agreement = vec![(u64::MAX, u64::MAX), (0, u64::MAX), (7, 0), (7, 1)];
        system.distinct_max = u64::MAX;
        system.lost_updates = Some(u64::MAX);
        system.phantom_updates = Some(u64::MAX);
        system.stale_reads = StaleReads {
            count: u64::MAX,
            reads: u64::MAX,
            updates_behind_p99: u64::MAX,
            updates_behind_max: u64::MAX,
            time_behind_ns_p99: u64::MAX,
            time_behind_ns_max: u64::MAX,
        };
        system.operations = Operations { ok: u64::MAX, fail: u64::MAX, info: u64::MAX };
        system.latency_ns[0].quantiles = quantiles;
        system.availability[0].availability_ppm = Some(u32::MAX);
        for number in [
            &mut system.messages,
            &mut system.bytes,
            &mut system.dropped,
            &mut system.duplicated,
            &mut system.state_bytes,
            &mut system.metadata_bytes,
            &mut system.tombstone_bytes,
            &mut system.conflicts,
            &mut system.retries,
        ] {
            *number = u64::MAX;
        }
    }
    report
}

/// Nothing at all.
pub(super) fn empty() -> Report {
    let mut report = report();
    report.story.clear();
    report.horizon_ns = 0;
    report.timeline.clear();
    report.systems.clear();
    report
}

/// The measures that all specimens share.
fn system(name: &str, protocol: &str, fingerprint: &str) -> System {
    System {
        name: name.into(),
        protocol: protocol.into(),
        fingerprint: fingerprint.into(),
        guarantee: "deterministic".into(),
        events: 184_220,
        stop: "completed".into(),
        ended_ns: 40 * S + 34 * MS,
        converged: true,
        convergence_time_ns: Some(0),
        convergence_from_last_update_ns: Some(0),
        convergence_from_last_heal_ns: Some(S),
        convergence_observed_ns: Some(12 * MS),
        visibility_latency_ns: None,
        agreement: Vec::new(),
        distinct_max: 1,
        correct: true,
        correct_witness: None,
        agreed_value: Some("8391".into()),
        acceptable: "8391".into(),
        lost_updates: Some(0),
        phantom_updates: Some(0),
        stale_reads: StaleReads { reads: 1_198, ..StaleReads::default() },
        checks: Vec::new(),
        consistency_strongest: "linearizable".into(),
        consistency: Vec::new(),
        operations: Operations { ok: 3_994, fail: 0, info: 0 },
        availability: phases([(3_994, 3_994), (1_002, 1_002), (1_990, 1_990), (1_002, 1_002)]),
        latency_ns: vec![LatencyOf {
            operation: "add".into(),
            phase: "all".into(),
            quantiles: quantiles([900_000, 1_400_000, 2_051_234, 3_000_000], 2_796),
        }],
        messages: 11_184,
        bytes: 357_888,
        dropped: 3_562,
        duplicated: 58,
        state_bytes: 16,
        metadata_bytes: 0,
        tombstone_bytes: 0,
        conflicts: 0,
        retries: 0,
        expectations: Vec::new(),
        faults_bitten: bites(3_339, 0),
        programs: None,
    }
}

fn naive() -> System {
    System {
        converged: false,
        convergence_time_ns: None,
        convergence_from_last_update_ns: None,
        convergence_from_last_heal_ns: None,
        convergence_observed_ns: None,
        visibility_latency_ns: Some(Quantiles {
            p50: Some(48_300_000),
            p90: None,
            p99: None,
            max: None,
            count: 2_796,
            censored: 412,
        }),
        agreement: agreement(&[(20, 4), (60, 5), (80, 3), (160, 2)]),
        distinct_max: 5,
        correct: false,
        correct_witness: Some("the replicas hold 2 different totals: 7102 at n1, n2, n5; 7099 at n3, n4".into()),
        agreed_value: None,
        lost_updates: Some(412),
        phantom_updates: Some(3),
        stale_reads: StaleReads {
            count: 640,
            reads: 1_198,
            updates_behind_p99: 380,
            updates_behind_max: 412,
            time_behind_ns_p99: 31 * S,
            time_behind_ns_max: 39 * S,
        },
        checks: vec![CheckVerdict {
            checker: "bounded-reads".into(),
            verdict: Verdict::Fail,
            witness: Some("read 31 returned 7, and must be at least 9".into()),
        }],
        consistency_strongest: "none".into(),
        consistency: vec![ConsistencyVerdict {
            model: "linearizable".into(),
            verdict: Verdict::Fail,
            witness: Some("read 31 returned 7, but 9 was acknowledged before".into()),
        }],
        expectations: vec![
            expectation("lost_updates = 0", Verdict::Fail, "412", None),
            expectation("converges = true", Verdict::Fail, "censored", Some("2 different values at the horizon")),
        ],
        faults_bitten: bites(3_339, 212),
        ..system(
            "naive",
            "read, modify, broadcast of the total; the last writer wins",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        )
    }
}

fn occ() -> System {
    System {
        visibility_latency_ns: Some(quantiles([0, 0, 0, 0], 2_410)),
        agreement: (0..160).map(|k| (k * 250 * MS, u64::from(!(20..60).contains(&k)))).collect(),
        acceptable: "8102..=8391".into(),
        agreed_value: Some("8240".into()),
        operations: Operations { ok: 3_204, fail: 610, info: 180 },
        availability: phases([(3_204, 3_994), (1_002, 1_002), (1_200, 1_990), (1_002, 1_002)]),
        latency_ns: vec![LatencyOf {
            operation: "add".into(),
            phase: "all".into(),
            quantiles: quantiles([84 * MS, 301 * MS, 1_830 * MS, 2 * S], 2_226),
        }],
        conflicts: 1_204,
        retries: 1_377,
        expectations: vec![expectation(
            "conflicts > 0",
            Verdict::Vacuous,
            "0",
            Some("no two updates were concurrent, so compare-and-swap was never put to the test"),
        )],
        ..system("occ", "read and compare-and-swap against lin-kv", "a1b2c3d4e5f60718293a4b5c6d7e8f90")
    }
}

fn pn_counter() -> System {
    System {
        convergence_time_ns: Some(412_345_678),
        convergence_from_last_update_ns: Some(412_345_678),
        convergence_from_last_heal_ns: Some(S + 412_345_678),
        convergence_observed_ns: Some(390 * MS),
        visibility_latency_ns: Some(quantiles([311 * MS, 5_200 * MS, 9_840 * MS, 10_100 * MS], 2_796)),
        agreement: agreement(&[(20, 3), (60, 5), (82, 4)]),
        distinct_max: 5,
        state_bytes: 176,
        metadata_bytes: 96,
        bytes: 2_841_702,
        expectations: vec![
            expectation("converges = true", Verdict::Pass, "true", None),
            expectation("lost_updates = 0", Verdict::Pass, "0", None),
        ],
        ..system("pn-counter", "gossip of pn-counter, push-pull every 100ms", "00112233445566778899aabbccddeeff")
    }
}

/// What the two faults did.
fn bites(messages_lost: u64, clocks_set: u64) -> Vec<FaultBite> {
    vec![
        FaultBite { label: "partition at 5s".into(), messages_lost, ..FaultBite::default() },
        FaultBite { label: "clock at 18s".into(), clocks_set, ..FaultBite::default() },
    ]
}

fn expectation(text: &str, verdict: Verdict, observed: &str, reason: Option<&str>) -> Expectation {
    Expectation { text: text.into(), verdict, observed: observed.into(), reason: reason.map(Into::into) }
}

fn quantiles([p50, p90, p99, max]: [u64; 4], count: u64) -> Quantiles {
    Quantiles { p50: Some(p50), p90: Some(p90), p99: Some(p99), max: Some(max), count, censored: 0 }
}

fn phases(counts: [(u64, u64); 4]) -> Vec<Availability> {
    ["all", "before partition at 5s", "during partition at 5s", "after partition at 5s"]
        .into_iter()
        .zip(counts)
        .map(|(phase, (ok, total))| Availability {
            phase: phase.into(),
            ok,
            total,
            availability_ppm: (ok * 1_000_000).checked_div(total).map(|ppm| ppm as u32),
        })
        .collect()
}

/// 160 cells of a quarter of a second: so many values until those cells, and agreement afterwards.
fn agreement(until: &[(u64, u64)]) -> Vec<(u64, u64)> {
    (0..160)
        .map(|k| (k * 250 * MS, until.iter().find(|(cell, _)| k < *cell).map_or(1, |&(_, values)| values)))
        .collect()
}
