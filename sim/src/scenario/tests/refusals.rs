//! Scenarios that are refused: what is changed in the base, and all that is said about it.

use super::*;

/// What is replaced, by what, and the errors in short.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("nodes = 5", "nodez = 5", ""),
    ("nodes = 5", "nodes = 5.5", ""),
    (r#"name = "base"
"#, r#"
"#, ""),
    ("[cluster]", "[cluster", ""),
    ("nodes = 5", r#"nodes = 5
nodes = 6"#, ""),
    (r#"name = "base""#, r#"name = "My Scenario""#, ""),
    (r#"name = "base""#, r#"name = "base"
seed = -1"#, ""),
    ("nodes = 5", "nodes = 0", ""),
    ("nodes = 5", "nodes = 4_000_001", ""),
    ("clients = 10", "clients = 0", ""),
    (r#"object = "counter""#, r#"object = "conter""#, ""),
    ("nodes = 5", r#"nodes = 5
topology = "rign""#, ""),
    ("nodes = 5", r#"nodes = 5
topology = "grid""#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { ring = {}, star = {} }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = {}"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { grid = { width = 2, height = 2 } }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { random-regular = { degree = 3 } }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { random-regular = { degree = 6 } }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { edges = [["n1", "n2"], ["n3", "n4"], ["n4", "n5"]] }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { edges = [["n1", "n1"], ["n2", "m3"]] }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { geo = { regions = { eu = ["n1", "n2"], us = ["n2", "n3", "n4"] }, latency = { "eu-uk" = "5ms" } } }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = { geo = { regions = { eu = ["n1", "n2"], us = ["n3", "n4"] }, latency = {} } }"#, ""),
    ("nodes = 5", r#"nodes = 5
clock = { drift = "-5ppm" }"#, ""),
    (r#"latency = "20ms""#, r#"latency = "20""#, ""),
    (r#"latency = "20ms""#, r#"latency = "lognormal""#, ""),
    (r#"latency = "20ms""#, r#"latency = { uniform = { min = "3ms", max = "1ms" } }"#, ""),
    (r#"latency = "20ms""#, r#"latency = { pareto = { min = "0s", alpha = 0 } }"#, ""),
    (r#"latency = "20ms""#, r#"latency = { empirical = { p0 = "1ms", p50 = "900us", q9 = "1s" } }"#, ""),
    (r#"latency = "20ms""#, r#"latency = "20ms"
loss = "120%""#, ""),
    (r#"latency = "20ms""#, r#"latency = "20ms"
loss = "100%""#, ""),
    (r#"latency = "20ms""#, r#"latency = "20ms"
loss = 0.02"#, ""),
    (r#"latency = "20ms""#, r#"latency = "20ms"
queue = "1MB""#, ""),
    ("[workload]", r#"[[link]]
from = "n1"
loss = "1%"
[workload]"#, ""),
    ("[workload]", r#"[[link]]
between = ["n1", "c1"]
loss = "1%"
[workload]"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = "ring"
[[link]]
from = "n1"
to = "n3"
loss = "1%""#, ""),
    ("[workload]", r#"[services]
at = "lin-kv"
staleness = "1s"
[workload]"#, ""),
    (r#"duration = "20s""#, r#"duration = "-20s""#, ""),
    (r#"duration = "20s""#, r#"duration = "999999999h""#, ""),
    (r#"duration = "20s""#, "", ""),
    (r#"rate = "200/s""#, "", ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
think_time = "1s""#, ""),
    (r#"rate = "200/s""#, r#"think_time = "0s""#, ""),
    (r#"rate = "200/s""#, r#"rate = "2000000000/s""#, ""),
    (r#"rate = "200/s""#, r#"rate = "100000000/s""#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
mix = { add = 0, read = 0 }"#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
quiet = "0s""#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
amount = { choice = [] }"#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
phases = [{ for = "1s" }]"#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
binding = "sticky""#, ""),
    ("[[fault]]", r#"[limits]
events = 0
memory = "0B"
[[fault]]"#, ""),
    (r#"at = "5s""#, r#"at = "40s""#, ""),
    (r#"for = "10s""#, r#"until = "9s""#, ""),
    (r#"for = "10s""#, r#"every = "5s""#, ""),
    (r#"for = "10s""#, r#"for = "10s"
every = "5s""#, ""),
    (r#"for = "10s""#, r#"for = "1s"
every = "5s"
until = "4s""#, ""),
    (r#"for = "10s""#, r#"for = "0s""#, ""),
    (r#"for = "10s""#, r#"for = "1ns"
every = "2ns""#, ""),
    (r#"partition = "halves""#, "", ""),
    (r#"partition = "halves""#, r#"partition = "halves"
crash = { nodes = ["n1"] }"#, ""),
    (r#"partition = "halves""#, r#"partition = "quarters""#, ""),
    (r#"partition = "halves""#, r#"partition = { groups = [["n1", "n2"], ["n2", "n9"], []] }"#, ""),
    (r#"partition = "halves""#, r#"partition = { groups = [["n1", "n2", "n3", "n4", "n5"]] }"#, ""),
    (r#"partition = "halves""#, r#"partition = { isolate = ["seq-kv"] }"#, ""),
    (r#"partition = "halves""#, "partition = { random = { groups = 9 } }", ""),
    (r#"partition = "halves""#, r#"crash = { nodes = ["c1"], state = "stale" }"#, ""),
    (r#"partition = "halves""#, r#"clock = { nodes = ["n1"] }"#, ""),
    (r#"partition = "halves""#, r#"loss = { probability = "50%", from = ["n1", "n1"] }"#, ""),
    ("[[system]]", r#"[nemesis]
kinds = ["crash"]
interval = "1s"
duration = "0s"
[[system]]"#, ""),
    ("[[system]]", r#"[nemesis]
kinds = ["pause"]
interval = "1s"
duration = "1s"
from = "90s"
[[system]]"#, ""),
    (r#"name = "occ""#, r#"name = "naive""#, ""),
    ("naive = {}", "", ""),
    ("naive = {}", r#"naive = {}
gossip = { crdt = "pn-counter" }"#, ""),
    (r#"store = "lin-kv""#, r#"store = "linkv""#, ""),
    (r#"store = "lin-kv""#, r#"store = "lin-kv", deadline = "2s""#, ""),
    (r#"store = "lin-kv""#, r#"store = "lin-kv", rpc_timeout = "950ms""#, ""),
    (r#"store = "lin-kv""#, r#"store = "lin-kv", backoff = { min = "2s", max = "1s" }, retries = -1"#, ""),
    (r#""pn-counter""#, r#""or-set""#, ""),
    (r#""pn-counter""#, r#""pn-counter", fanout = 5"#, ""),
    (r#""pn-counter""#, r#""pn-counter", mode = "psuh", interval = "0s""#, ""),
    (r#""pn-counter""#, r#""pn-counter", jitter = "1s""#, ""),
    (r#"rate = "200/s""#, r#"rate = "200/s"
amount = -1
[[system]]
name = "g"
gossip = { crdt = "g-counter" }"#, ""),
    ("nodes = 5", r#"nodes = 5
topology = "ring"
[[system]]
name = "nd"
naive-delta = {}"#, ""),
    (r#"for = "10s"
partition = "halves""#, r#"partition = { isolate = ["lin-kv"] }
[[fault]]
at = "0s"
partition = { isolate = ["lin-kv"] }"#, ""),
    (r#"at = "5s"
for = "10s"
partition = "halves""#, r#"at = "0s"
for = "20s"
crash = { nodes = ["lin-kv"] }"#, ""),
    ("[expect.pn]", "[expect.pm]", ""),
    ("converges = true", "convergs = true", ""),
    ("converges = true", r#"converges = "yes""#, ""),
    ("converges = true", r#"convergence_time = "2s""#, ""),
    ("converges = true", r#"convergence_time = { p95 = "<= 2s" }"#, ""),
    ("converges = true", "lost_updates = -1", ""),
    ("converges = true", "availability = 99", ""),
];

#[test]
fn refused_scenarios_say_what_where_and_what_else() {
    let mut wrong = 0;
    for (from, to, expected) in REFUSALS {
        let said = match parse("test.toml", &changed(from, to), &[]) {
            Ok(_) => "ACCEPTED".to_owned(),
            Err(errors) => brief(&errors),
        };
        if said != *expected {
            wrong += 1;
            println!("<<<\n{from}\n---\n{to}\n>>>\n{said}\n===");
        }
    }
    assert_eq!(wrong, 0);
}
