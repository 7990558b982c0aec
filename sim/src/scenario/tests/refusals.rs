//! Scenarios that are refused: what is changed in the base, and all that is said about it.

use super::*;

mod objects;

/// What is replaced, by what, and the errors in short.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("nodes = 5", "nodez = 5", "4:1 unknown key `nodez` [not a key of this table] (did you mean `nodes`?)"),
    ("nodes = 5", "nodes = 5.5", "4:9 invalid type: floating point `5.5`, expected a whole number [here] ()"),
    (
        r#"name = "base"
"#,
        r"
",
        "1:1 the key `name` is missing [in this table] (add `name`)",
    ),
    ("[cluster]", "[cluster", "3:9 this is not TOML: unclosed table, expected `]` [here] ()"),
    (
        "nodes = 5",
        r"nodes = 5
nodes = 6",
        "5:1 this is not TOML: duplicate key [here] ()",
    ),
    (
        r#"name = "base""#,
        r#"name = "My Scenario""#,
        "2:8 `My Scenario` cannot be the name of a scenario [not in kebab case] (use at most 64 lower-case letters and digits, with single dashes between words: `clock-skew`)",
    ),
    (
        r#"name = "base""#,
        r#"name = "base"
seed = -1"#,
        "3:8 a seed cannot be negative [negative] (use a number from 0)",
    ),
    ("nodes = 5", "nodes = 0", "4:9 the number of nodes cannot be 0 [out of range] (use a number from 1 to 4000000)"),
    (
        "nodes = 5",
        "nodes = 4_000_001",
        "4:9 the number of nodes cannot be 4000001 [out of range] (use a number from 1 to 4000000)",
    ),
    (
        "clients = 10",
        "clients = 0",
        "9:11 the number of clients cannot be 0 [out of range] (use a number from 1 to 1000000)",
    ),
    (
        r#"object = "counter""#,
        r#"object = "conter""#,
        "8:10 there is no object `conter` [no object] (did you mean `counter`?)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = "rign""#,
        "5:12 there is no topology `rign` [no plain topology] (did you mean `ring`?)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = "grid""#,
        "5:12 the topology `grid` has parameters: a rectangle of width times height, row by row [no plain topology] (write { grid = { … } })",
    ),
    (
        "nodes = 5",
        r"nodes = 5
topology = { ring = {}, star = {} }",
        "5:21 this topology is several things at once [`ring`; `star`] (keep one of them)",
    ),
    (
        "nodes = 5",
        r"nodes = 5
topology = {}",
        "5:12 this topology does not say what it is [no kind here] (add one of `complete`, `ring`, `star`, `grid`, `tree`, `random-regular`, `small-world`, `scale-free`, `geo`, `edges`)",
    ),
    (
        "nodes = 5",
        r"nodes = 5
topology = { grid = { width = 2, height = 2 } }",
        "5:12 a grid of 2 x 2 has 4 replicas, and the cluster has 5 [this graph; with this many nodes] (width times height must be the number of nodes)",
    ),
    (
        "nodes = 5",
        r"nodes = 5
topology = { random-regular = { degree = 3 } }",
        "5:12 there is no graph of 5 replicas with 3 neighbours each: every link has two ends [this graph; with this many nodes] (nodes times degree must be even)",
    ),
    (
        "nodes = 5",
        r"nodes = 5
topology = { random-regular = { degree = 6 } }",
        "5:12 a replica cannot have 6 neighbours among 5 replicas [this graph; with this many nodes] (the degree must be less than the number of nodes)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = { edges = [["n1", "n2"], ["n3", "n4"], ["n4", "n5"]] }"#,
        "5:12 the graph is not connected: there is no path from n1 to n3 [this graph; with this many nodes] (add edges until every replica can be reached)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = { edges = [["n1", "n1"], ["n2", "m3"]] }"#,
        r"5:23 n1 is linked to itself [both ends are the same] (leave this edge out)
5:44 there is no endpoint `m3` [no such endpoint] (did you mean `n3`?)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = { geo = { regions = { eu = ["n1", "n2"], us = ["n2", "n3", "n4"] }, latency = { "eu-uk" = "5ms" } } }"#,
        r"5:59 n2 is in two regions [again; first] ()
5:92 `eu-uk` is no pair of regions [not two regions] (did you mean `eu-us`?)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = { geo = { regions = { eu = ["n1", "n2"], us = ["n3", "n4"] }, latency = {} } }"#,
        "5:20 n5 is in no region [these regions] (every replica belongs to one region)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
clock = { drift = "-5ppm" }"#,
        "5:19 the bound of a drift cannot be negative [negative] (drifts are drawn from minus this to this)",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "20""#,
        r#"6:11 `20` has no unit: it should be a duration such as "20ms" [here] (the units are `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`)"#,
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "lognormal""#,
        "6:11 `lognormal` does not start with a number [here] (a distribution has parameters: { lognormal = { … } })",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = { uniform = { min = "3ms", max = "1ms" } }"#,
        "6:44 `max` is below what it bounds: 1ms is less than 3ms [this is less; this is more] (exchange them)",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = { pareto = { min = "0s", alpha = 0 } }"#,
        r#"6:30 the least of a Pareto latency must be longer than zero [zero] (use a duration such as "1s")
6:44 a Pareto exponent cannot be 0 [out of range] (use a number from 0.1 to 1000, for example 1.5)"#,
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = { empirical = { p0 = "1ms", p50 = "900us", q9 = "1s" } }"#,
        r"6:45 quantiles must rise [this; against this] (a higher quantile has a higher latency)
6:54 `q9` is no quantile [not p0 to p100] (the usual quantiles are `p0`, `p25`, `p50`, `p75`, `p90`, `p99`, `p100`)",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "20ms"
loss = "120%""#,
        "7:8 a probability cannot be more than 100% [here] (use a percentage from 0% to 100%)",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "20ms"
loss = "100%""#,
        "7:8 this network loses every message [nothing ever arrives] (use less than 100%, or a fault that ends)",
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "20ms"
loss = 0.02"#,
        r#"7:8 invalid type: floating point `0.02`, expected a percentage such as "2%" [here] ()"#,
    ),
    (
        r#"latency = "20ms""#,
        r#"latency = "20ms"
queue = "1MB""#,
        r#"7:9 a queue needs a bandwidth [nothing ever waits here] (add `bandwidth`, for example "10MB/s")"#,
    ),
    (
        "[workload]",
        r#"[[link]]
from = "n1"
loss = "1%"
[workload]"#,
        r#"7:1 a link needs both of its ends [this link] (write `from` and `to` for one direction, or `between = ["n1", "n2"]` for both)"#,
    ),
    (
        "[workload]",
        r#"[[link]]
between = ["n1", "c1"]
loss = "1%"
[workload]"#,
        "8:18 `c1` is a client [not possible here] (name replicas or stores here)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = "ring"
[[link]]
from = "n1"
to = "n3"
loss = "1%""#,
        "8:6 there is no link from n1 to n3 [to here; from here] (only links of the topology can be described; stores have links on a complete graph only)",
    ),
    (
        "[workload]",
        r#"[services]
at = "lin-kv"
staleness = "1s"
[workload]"#,
        "8:6 `lin-kv` is not a replica [not possible here] (the replicas are n1 to n5)",
    ),
    (r#"duration = "20s""#, r#"duration = "-20s""#, "11:12 a duration cannot be negative [here] (write `20s`)"),
    (
        r#"duration = "20s""#,
        r#"duration = "999999999h""#,
        "11:12 the duration is too long [here] (at most 31 years (277777h) fit)",
    ),
    (
        r#"duration = "20s""#,
        "",
        r#"7:1 the key `duration` is missing [in this table] (add `duration = "20s"`, or `phases`)"#,
    ),
    (
        r#"rate = "200/s""#,
        "",
        r#"7:1 nothing says how often clients act [in this table] (add `rate = "200/s"` (open loop) or `think_time = "50ms"` (closed loop))"#,
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
think_time = "1s""#,
        "11:14 a workload cannot have both a rate and a think time [clients wait for answers (closed loop); clients do not wait for answers (open loop)] (keep one of them)",
    ),
    (
        r#"rate = "200/s""#,
        r#"think_time = "0s""#,
        "10:14 clients that neither think nor wait never let time pass [zero] (use a think time, or `client_latency` in [network])",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "2000000000/s""#,
        "10:8 a rate cannot exceed one event per nanosecond [here] (use a lower rate)",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "100000000/s""#,
        "10:8 about 2000000000 operations are more than a run can handle (100000000) [this often] (lower the rate or the duration, or raise `events` in [limits])",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
mix = { add = 0, read = 0 }"#,
        "11:7 this mix contains no operation [all weights are zero] (write { add = 7, read = 3 })",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
quiet = "0s""#,
        r#"11:9 the quiet period must be longer than zero [zero] (use a duration such as "1s")"#,
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
amount = { choice = [] }"#,
        "11:21 there is no amount to choose [empty] (write [1, 2, 5])",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
phases = [{ for = "1s" }]"#,
        r#"10:8 phases replace `rate` and `duration` [this; and phases] (every phase has its own rate and duration)
11:10 no phase has a rate [nothing ever happens] (give a phase `rate = "100/s"`)"#,
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
binding = "sticky""#,
        "11:11 there is no binding `sticky` [no binding] (the bindings are `replica`, `roaming`)",
    ),
    (
        "[[fault]]",
        r#"[limits]
events = 0
memory = "0B"
[[fault]]"#,
        r#"13:10 a limit of 0 events makes no sense [out of range] (use a number from 1 to 10^15)
14:10 a run needs some memory [zero] (use "4GiB")"#,
    ),
    (
        r#"at = "5s""#,
        r#"at = "40s""#,
        "13:6 the fault begins at 40s, after the end of the run at 30s [too late] (clients work until 20s; a quiet period of 10s follows)",
    ),
    (
        r#"for = "10s""#,
        r#"until = "9s""#,
        "14:9 `until` ends a repetition, and there is none [has no effect] (add `every`, or say with `for` how long the fault lasts)",
    ),
    (
        r#"for = "10s""#,
        r#"every = "5s""#,
        "14:9 a fault that comes again must end in between [repeats] (add `for`, shorter than `every`)",
    ),
    (
        r#"for = "10s""#,
        r#"for = "10s"
every = "5s""#,
        "14:7 the fault begins again before it has ended [lasts; repeats] (`for` must be shorter than `every`)",
    ),
    (
        r#"for = "10s""#,
        r#"for = "1s"
every = "5s"
until = "4s""#,
        "16:9 the repetition ends before it begins [ends; begins] (`until` must be after `at`)",
    ),
    (
        r#"for = "10s""#,
        r#"for = "0s""#,
        r#"14:7 a fault must be longer than zero [zero] (use a duration such as "1s")"#,
    ),
    (
        r#"for = "10s""#,
        r#"for = "1ns"
every = "2ns""#,
        "12:1 faults occur up to 7500000000 times, which is too often for 16 endpoints [up to 7500000000 times] (repeat faults less often, or end them earlier)",
    ),
    (
        r#"partition = "halves""#,
        "",
        "12:1 this fault does not say what it is [no kind here] (add one of `partition`, `crash`, `pause`, `slow`, `clock`, `loss`, `burst`, `duplicate`, `delay`)",
    ),
    (
        r#"partition = "halves""#,
        r#"partition = "halves"
crash = { nodes = ["n1"] }"#,
        "15:13 this fault is several things at once [`partition`; `crash`] (keep one of them)",
    ),
    (
        r#"partition = "halves""#,
        r#"partition = "quarters""#,
        "15:13 there is no plain partition `quarters` [no such partition] (the partitions are `groups`, `halves`, `isolate`, `majority-ring`, `bridge`, `one-way`, `random`, `flapping`)",
    ),
    (
        r#"partition = "halves""#,
        r#"partition = { groups = [["n1", "n2"], ["n2", "n9"], []] }"#,
        r#"15:40 `n2` is named twice [again; first] (an endpoint has one place only)
15:46 there is no endpoint `n9` [no such endpoint] (the replicas are n1 to n5)
15:53 nobody is named here [empty] (name endpoints, for example ["n1", "n2"])"#,
    ),
    (
        r#"partition = "halves""#,
        r#"partition = { groups = [["n1", "n2", "n3", "n4", "n5"]] }"#,
        "15:24 this partition parts nobody: all replicas are in one group [a single group] (split the replicas into two groups)",
    ),
    (
        r#"partition = "halves""#,
        r#"partition = { isolate = ["seq-kv"] }"#,
        r#"15:26 there is no `seq-kv`: no system uses it [no such endpoint] (there is a seq-kv when a system has `store = "seq-kv"`)"#,
    ),
    (
        r#"partition = "halves""#,
        "partition = { random = { groups = 9 } }",
        "15:35 the number of groups cannot be 9 [out of range] (use a number from 2 to 5)",
    ),
    (
        r#"partition = "halves""#,
        r#"crash = { nodes = ["c1"], state = "stale" }"#,
        r#"15:20 `c1` is a client [not possible here] (name replicas or stores here)
15:35 there is no state `stale` [no such state] (write { stale = "2s" }: what was written in the last two seconds is lost)"#,
    ),
    (
        r#"partition = "halves""#,
        r#"clock = { nodes = ["n1"] }"#,
        r#"15:9 this fault does nothing to the clocks [neither offset nor drift] (add `offset = "-2s"` or `drift = "1000ppm"`)"#,
    ),
    (
        r#"partition = "halves""#,
        r#"loss = { probability = "50%", from = ["n1", "n1"] }"#,
        "15:45 `n1` is named twice [again; first] (an endpoint has one place only)",
    ),
    (
        "[[system]]",
        r#"[nemesis]
kinds = ["crash"]
interval = "1s"
duration = "0s"
[[system]]"#,
        r#"17:10 there is no kind of nemesis `crash` [no such kind] (did you mean `crash-stale`?)
19:12 a fault of the nemesis must be longer than zero [zero] (use a duration such as "1s")"#,
    ),
    (
        "[[system]]",
        r#"[nemesis]
kinds = ["pause"]
interval = "1s"
duration = "1s"
from = "90s"
[[system]]"#,
        "20:8 the nemesis acts from 90s until 20s, in a run that ends at 30s [nothing can happen] (`from` must be before `until`, and before the end of the run)",
    ),
    (
        r#"name = "occ""#,
        r#"name = "naive""#,
        "20:8 two systems are called `naive` [again; first] (give each its own name)",
    ),
    (
        "naive = {}",
        "",
        "16:1 this system does not say what it is [no kind here] (add one of `naive`, `naive-delta`, `occ`, `lock`, `gossip`, `bug`, `external`)",
    ),
    (
        "naive = {}",
        r#"naive = {}
gossip = { crdt = "pn-counter" }"#,
        "18:9 this system is several things at once [`naive`; `gossip`] (keep one of them)",
    ),
    (
        r#"store = "lin-kv""#,
        r#"store = "linkv""#,
        "21:17 there is no store `linkv` [no store] (did you mean `lin-kv`?)",
    ),
    (
        r#"store = "lin-kv""#,
        r#"store = "lin-kv", deadline = "2s""#,
        "21:38 the deadline is not before the timeout of clients (1s) [nobody waits this long] (lower the deadline, or raise `timeout` in [workload])",
    ),
    (
        r#"store = "lin-kv""#,
        r#"store = "lin-kv", rpc_timeout = "950ms""#,
        "21:41 the RPC timeout is after the deadline of the operation (900ms) [never reached] (lower the RPC timeout, or raise the deadline)",
    ),
    (
        r#"store = "lin-kv""#,
        r#"store = "lin-kv", backoff = { min = "2s", max = "1s" }, retries = -1"#,
        r"21:57 the longest backoff is below the first [this is less; this is more] (exchange them)
21:75 the number of retries cannot be -1 [out of range] (use a number from 0 to 1000000)",
    ),
    (
        r#""pn-counter""#,
        r#""or-set""#,
        "24:19 `or-set` is a set, and clients see a counter [does not fit `object` in [workload]] (data types of a counter: g-counter, pn-counter)",
    ),
    (r#""pn-counter""#, r#""pn-countr""#, "24:19 there is no CRDT `pn-countr` [no CRDT] (did you mean `pn-counter`?)"),
    (
        r#""pn-counter""#,
        r#""pn-counter", fanout = 5"#,
        "24:42 the fan-out cannot be 5 [out of range] (use a number from 1 to 4)",
    ),
    (
        r#""pn-counter""#,
        r#""pn-counter", mode = "psuh", interval = "0s""#,
        r#"24:40 there is no mode `psuh` [no mode] (did you mean `push`?)
24:59 an interval must be longer than zero [zero] (use a duration such as "1s")"#,
    ),
    (
        r#""pn-counter""#,
        r#""pn-counter", jitter = "1s""#,
        "24:42 the jitter is longer than the interval [rounds cannot be earlier than now] (use a tenth of the interval)",
    ),
    (
        r#"duration = "20s""#,
        r#"duration = "20s"
amount = -1
[[system]]
name = "g"
gossip = { crdt = "g-counter" }"#,
        "15:19 a g-counter cannot add -1: it only grows [does not fit the amounts of the workload] (use `pn-counter`, or amounts that are not negative)",
    ),
    (
        "nodes = 5",
        r#"nodes = 5
topology = "ring"
[[system]]
name = "nd"
naive-delta = {}"#,
        "8:15 `naive-delta` needs a complete topology [this protocol] (increments are not passed on, so replicas that are no neighbours would never learn of them)",
    ),
    (
        r#"for = "10s"
partition = "halves""#,
        r#"partition = { isolate = ["lin-kv"] }
[[fault]]
at = "0s"
partition = { isolate = ["lin-kv"] }"#,
        "23:17 no replica can reach lin-kv for as long as clients work [this store; cut off from here] (end the fault while clients work, or leave a replica on the side of the store)",
    ),
    (
        r#"at = "5s"
for = "10s"
partition = "halves""#,
        r#"at = "0s"
for = "20s"
crash = { nodes = ["lin-kv"] }"#,
        "21:17 no replica can reach lin-kv for as long as clients work [this store; cut off from here] (end the fault while clients work, or leave a replica on the side of the store)",
    ),
    (
        "converges = true",
        r#"consistency = "linearisable""#,
        "26:15 there is no consistency model `linearisable` [no such model] (did you mean `linearizable`?)",
    ),
    (
        "converges = true",
        r#"consistency = ["causal", "not sequentail"]"#,
        "26:26 there is no consistency model `sequentail` [no such model] (did you mean `sequential`?)",
    ),
    (
        "converges = true",
        "consistency = true",
        "26:15 this names no consistency model [here] (write \"linearizable\", \"not linearizable\", or several in brackets)",
    ),
    (
        "converges = true",
        r#"converges = ["true"]"#,
        "26:13 this is no bound for `converges` [here] (write true or false)",
    ),
    ("[expect.pn]", "[expect.pm]", "25:9 there is no system `pm` [no such system] (did you mean `pn`?)"),
    (
        "converges = true",
        "convergs = true",
        "26:1 there is no measure `convergs` [no such measure] (did you mean `converges`?)",
    ),
    ("converges = true", r#"converges = "yes""#, "26:13 this is no bound for `converges` [here] (write true or false)"),
    (
        "converges = true",
        r#"convergence_time = "2s""#,
        r#"26:20 `2s` has no comparison [here] (write "<= 2s" or ">= 2s")"#,
    ),
    (
        "converges = true",
        r#"convergence_time = { p95 = "<= 2s" }"#,
        "26:22 there is no quantile `p95` here [no such quantile] (did you mean `p90`?)",
    ),
    ("converges = true", "lost_updates = -1", "26:16 `lost_updates` is never negative [here] (use a number from 0)"),
    (
        "converges = true",
        "availability = 99",
        r#"26:16 this is no bound for `availability` [here] (write a comparison such as ">= 99%")"#,
    ),
];

#[test]
fn refused_scenarios_say_what_where_and_what_else() {
    let mut wrong = 0;
    for (from, to, expected) in REFUSALS.iter().chain(objects::REFUSALS) {
        let said = match parse("test.toml", &changed(from, to), &[]) {
            Ok(_) => "ACCEPTED".to_owned(),
            Err(errors) => brief(&errors),
        };
        if said != *expected {
            wrong += 1;
            println!("<<<\n{from}\n---\n{to}\n>>>\n{said}\n===");
        }
    }
    assert_eq!(wrong, 0, "the differing rows are printed above");
}
