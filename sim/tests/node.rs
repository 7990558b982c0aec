//! `sim node`, driven as Maelstrom drives it: lines into the process, lines out of it.
//!
//! Clusters are wired together here: the test routes lines between processes, and drops what it wants. No wall time is
//! asserted; whoever waits does so for a condition, with a limit that only a broken program reaches.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_mins(1);

/// A process and what it says.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts a node, whose lines go to `said` with its place.
    fn start(arguments: &[&str], place: usize, said: &Sender<(usize, Value)>) -> Self {
        let mut child = Command::new(cargo_bin!("sim"))
            .arg("node")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let (output, said) = (child.stdout.take().expect("a pipe"), said.clone());
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                let message = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if said.send((place, message)).is_err() {
                    return;
                }
            }
        });
        Self { input: child.stdin.take(), child }
    }

    fn line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the process reads");
    }

    /// Closes the input, and waits for the end.
    fn end(&mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().expect("the process ends").code()
    }
}

/// Nodes `n1`, `n2`, ... and the network between them.
struct Cluster {
    nodes: Vec<Process>,
    said: Receiver<(usize, Value)>,
    /// Which messages between nodes are lost.
    lost: Box<dyn FnMut(&Value) -> bool>,
    store: Store,
    asked: i64,
}

/// A key-value service that answers at once.
#[derive(Default)]
struct Store {
    values: BTreeMap<String, Value>,
    /// Keys are never created by swaps.
    swaps_only: bool,
    /// As many of the next swaps fail, as if somebody else had been faster.
    conflicts: u32,
    /// As many of the next requests do not arrive.
    silent: u32,
    /// As many of the next swaps take effect, and are not answered.
    lost_swaps: u32,
}

impl Store {
    fn answer(&mut self, body: &Value) -> Option<Value> {
        let (kind, key) = (body["type"].as_str().expect("a type"), body["key"].to_string());
        if self.silent > 0 {
            self.silent -= 1;
            return None;
        }
        let error = |code: u64| json!({ "type": "error", "code": code, "text": "as told" });
        Some(match (kind, self.values.get(&key)) {
            ("read", Some(value)) => json!({ "type": "read_ok", "value": value }),
            ("read", None) => error(20),
            ("write", _) => {
                self.values.insert(key, body["value"].clone());
                json!({ "type": "write_ok" })
            }
            ("cas", _) if self.conflicts > 0 => {
                self.conflicts -= 1;
                error(22)
            }
            ("cas", None) if self.swaps_only || body["create_if_not_exists"] != true => error(20),
            ("cas", Some(value)) if *value != body["from"] => error(22),
            ("cas", _) => {
                self.values.insert(key, body["to"].clone());
                if self.lost_swaps > 0 {
                    self.lost_swaps -= 1;
                    return None;
                }
                json!({ "type": "cas_ok" })
            }
            _ => error(10),
        })
    }
}

impl Cluster {
    fn start(count: usize, arguments: &[&str]) -> Self {
        let (sender, said) = channel();
        let nodes = (0..count).map(|place| Process::start(arguments, place, &sender)).collect();
        let mut cluster = Self { nodes, said, lost: Box::new(|_| false), store: Store::default(), asked: 0 };
        let names: Vec<String> = (1..=count).map(|number| format!("n{number}")).collect();
        for place in 0..count {
            let init = json!({ "type": "init", "node_id": names[place], "node_ids": names });
            assert_eq!(cluster.ask(place, init), json!({ "type": "init_ok" }));
        }
        cluster
    }

    fn one(arguments: &[&str]) -> Self {
        Self::start(1, arguments)
    }

    /// Passes on what the nodes say, until somebody else is spoken to: who, and what by whom.
    fn next(&mut self) -> (usize, Value) {
        loop {
            let (place, message) = self.said.recv_timeout(LIMIT).expect("the nodes go on");
            let dest = message["dest"].as_str().expect("a name");
            let node = dest.strip_prefix('n').and_then(|number| number.parse::<usize>().ok());
            match node {
                Some(number) if number <= self.nodes.len() => {
                    if !(self.lost)(&message) {
                        self.nodes[number - 1].line(&message.to_string());
                    }
                }
                _ if dest.ends_with("-kv") => {
                    if let Some(mut body) = self.store.answer(&message["body"]) {
                        body["in_reply_to"] = message["body"]["msg_id"].clone();
                        let reply = json!({ "src": dest, "dest": message["src"], "body": body });
                        self.nodes[place].line(&reply.to_string());
                    }
                }
                _ => return (place, message),
            }
        }
    }

    /// Asks a node, and returns the body of its reply without the number.
    fn ask(&mut self, place: usize, body: Value) -> Value {
        let msg_id = self.send(place, body);
        loop {
            let (_, message) = self.next();
            let mut body = message["body"].clone();
            if message["dest"] == "c1" && body["in_reply_to"] == msg_id {
                body.as_object_mut().expect("an object").remove("in_reply_to");
                return body;
            }
        }
    }

    fn send(&mut self, place: usize, mut body: Value) -> i64 {
        self.asked += 1;
        body["msg_id"] = json!(self.asked);
        let message = json!({ "id": 7, "src": "c1", "dest": format!("n{}", place + 1), "body": body });
        self.nodes[place].line(&message.to_string());
        self.asked
    }

    /// Asks all nodes until each answers like this.
    fn until_all_say(&mut self, body: &Value, expected: &Value) {
        for place in 0..self.nodes.len() {
            let mut said = Value::Null;
            let mut left = 20_000;
            while said != *expected {
                said = self.ask(place, body.clone());
                thread::sleep(Duration::from_millis(1));
                left -= 1;
                assert!(left > 0, "n{} says {said}, not {expected}", place + 1);
            }
        }
    }

    fn end(mut self) {
        for node in &mut self.nodes {
            assert_eq!(node.end(), Some(0));
        }
    }
}

fn is_error(said: &Value, code: u64, names: &str) {
    assert_eq!((said["type"].as_str(), said["code"].as_u64()), (Some("error"), Some(code)), "{said}");
    assert!(said["text"].as_str().is_some_and(|text| text.contains(names)), "{said} does not name {names}");
}

#[test]
fn echo_and_ids() {
    let mut echo = Cluster::one(&["echo"]);
    assert_eq!(
        echo.ask(0, json!({ "type": "echo", "echo": [1, "ä", null] })),
        json!({ "type": "echo_ok", "echo": [1, "ä", null] })
    );
    is_error(&echo.ask(0, json!({ "type": "echo" })), 12, "`echo`");
    is_error(&echo.ask(0, json!({ "type": "read" })), 10, "`read`");
    assert_eq!(echo.ask(0, json!({ "type": "topology", "topology": { "n1": [] } })), json!({ "type": "topology_ok" }));
    is_error(&echo.ask(0, json!({ "type": "topology" })), 12, "`topology`");
    echo.end();
    let mut ids = Cluster::start(2, &["unique-ids"]);
    let mut seen: Vec<String> =
        (0..20).map(|at| ids.ask(at % 2, json!({ "type": "generate" }))["id"].to_string()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20);
    ids.end();
}

#[test]
fn what_comes_before_init_is_refused_and_a_second_init_must_agree() {
    let (sender, said) = channel();
    let mut node = Process::start(&["pn-counter"], 0, &sender);
    node.line(r#"{"src":"c1","dest":"n1","body":{"type":"read","msg_id":0}}"#);
    let (_, early) = said.recv_timeout(LIMIT).expect("a reply");
    is_error(&early["body"], 12, "init");
    assert_eq!((&early["src"], &early["body"]["in_reply_to"]), (&json!("n1"), &json!(0)));
    node.line(r#"{"src":"c1","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n2"]}}"#);
    is_error(&said.recv_timeout(LIMIT).expect("a reply").1["body"], 12, "`node_ids`");
    for (names, kind) in [("[\"n1\"]", "init_ok"), ("[\"n1\"]", "init_ok"), ("[\"n1\",\"n2\"]", "error")] {
        node.line(&format!(
            r#"{{"src":"c1","dest":"n1","body":{{"type":"init","msg_id":2,"node_id":"n1","node_ids":{names}}}}}"#
        ));
        assert_eq!(said.recv_timeout(LIMIT).expect("a reply").1["body"]["type"], kind);
    }
    node.line(r#"{"src":"c1","dest":"n9","body":{"type":"read","msg_id":3}}"#);
    is_error(&said.recv_timeout(LIMIT).expect("a reply").1["body"], 1, "n9");
    assert_eq!(node.end(), Some(0));
}

#[test]
fn broken_lines_stray_replies_and_null_numbers_change_nothing() {
    let mut counter = Cluster::one(&["pn-counter"]);
    for line in [
        "hello",
        "{}",
        "[1]",
        "\u{0}",
        "",
        r#"{"src":"c1","dest":"n1","body":{}}"#,
        r#"{"src":"c1","dest":"n1","body":{"type":"read_ok","in_reply_to":99,"value":1}}"#,
        r#"{"src":"c1","dest":"n1","body":{"type":"add","msg_id":null,"delta":2}}"#,
        r#"{"src":"c1","dest":"n1","body":{"type":"add","delta":3}}"#,
        r#"{"src":"c1","dest":"n1","body":{"type":"nonsense"}}"#,
        r#"{"src":"n1","dest":"n1","body":{"type":"error","msg_id":4,"code":0}}"#,
        r#"{"src":"n7","dest":"n1","body":{"type":"gossip","kind":"pull"}}"#,
    ] {
        counter.nodes[0].line(line);
    }
    // The first reply is the one to this: nothing before it was answered.
    counter.send(0, json!({ "type": "read" }));
    let (_, reply) = counter.next();
    assert_eq!(reply["body"], json!({ "type": "read_ok", "value": 5, "in_reply_to": 2 }));
    counter.end();
}

#[test]
fn a_reader_that_goes_away_ends_the_process() {
    let mut child = Command::new(cargo_bin!("sim"))
        .args(["node", "echo"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    let init = r#"{"src":"c1","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}}"#;
    writeln!(input, "{init}").expect("the process reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_replica_that_does_not_exist_is_a_wrong_usage() {
    let output = Command::new(cargo_bin!("sim")).args(["node", "pn-conter"]).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `pn-counter`?"));
    let help = Command::new(cargo_bin!("sim")).args(["node", "--help"]).output().expect("the program runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for name in ["naive", "lin-kv-proxy", "unique-ids", "Exit codes"] {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn counters_answer_and_refuse() {
    for name in ["naive", "g-counter", "pn-counter"] {
        let mut counter = Cluster::one(&[name]);
        assert_eq!(counter.ask(0, json!({ "type": "add", "delta": 4 })), json!({ "type": "add_ok" }));
        assert_eq!(counter.ask(0, json!({ "type": "add", "delta": 0 })), json!({ "type": "add_ok" }));
        assert_eq!(counter.ask(0, json!({ "type": "increment" })), json!({ "type": "increment_ok", "local_value": 5 }));
        for wrong in [json!(1.5), json!("1"), json!(null), json!(u64::MAX), json!(1e30), json!([])] {
            is_error(&counter.ask(0, json!({ "type": "add", "delta": wrong })), 12, "`delta`");
        }
        is_error(&counter.ask(0, json!({ "type": "add" })), 12, "`delta`");
        is_error(&counter.ask(0, json!({ "type": "txn" })), 10, "`txn`");
        assert_eq!(counter.ask(0, json!({ "type": "read" })), json!({ "type": "read_ok", "value": 5 }));
        counter.end();
    }
    let mut counter = Cluster::one(&["g-counter"]);
    is_error(&counter.ask(0, json!({ "type": "add", "delta": -1 })), 12, "`delta`");
    let status = counter.ask(0, json!({ "type": "gossip_status" }));
    assert_eq!(
        (&status["type"], &status["local_value"], &status["peers_synced"]),
        (&json!("gossip_status_ok"), &json!(0), &json!(0))
    );
    assert!(status["gossip_rounds"].is_u64() && status["convergence_ms"].is_u64());
    counter.end();
}

#[test]
fn counters_exchange_counts_that_any_program_can_read() {
    let mut counter = Cluster::one(&["pn-counter"]);
    counter.ask(0, json!({ "type": "add", "delta": 5 }));
    let theirs = json!({ "type": "replicate", "p_counters": { "n1": 2, "n2": 10 }, "n_counters": { "n2": 3 } });
    assert_eq!(counter.ask(0, theirs), json!({ "type": "replicate_ok" }));
    assert_eq!(counter.ask(0, json!({ "type": "read" }))["value"], 12);
    is_error(&counter.ask(0, json!({ "type": "replicate", "p_counters": { "n2": -1 } })), 12, "`p_counters.n2`");
    counter.end();
    // Two nodes: what goes between them is `replicate`, and nothing else.
    let (sender, said) = channel();
    let mut node = Process::start(&["pn-counter", "--interval", "10ms"], 0, &sender);
    node.line(r#"{"src":"c1","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1","n2"]}}"#);
    node.line(r#"{"src":"c1","dest":"n1","body":{"type":"add","msg_id":2,"delta":-4}}"#);
    let expected = json!({ "type": "replicate", "p_counters": {}, "n_counters": { "n1": 4 } });
    loop {
        let (_, message) = said.recv_timeout(LIMIT).expect("the node goes on");
        if message["dest"] == "n2" && message["body"] == expected {
            break;
        }
    }
    assert_eq!(node.end(), Some(0));
}

#[test]
fn sets_hold_any_json() {
    for (name, add, read) in
        [("g-set", "element", "value"), ("broadcast", "message", "messages"), ("or-set", "element", "value")]
    {
        let mut set = Cluster::one(&[name]);
        let (kind, done) = if name == "broadcast" { ("broadcast", "broadcast_ok") } else { ("add", "add_ok") };
        for element in [json!(3), json!({ "b": 1, "a": [null] }), json!({ "a": [null], "b": 1 }), json!(null), json!(3)]
        {
            assert_eq!(set.ask(0, json!({ "type": kind, add: element })), json!({ "type": done }));
        }
        is_error(&set.ask(0, json!({ "type": kind })), 12, add);
        let said = set.ask(0, json!({ "type": "read" }));
        assert_eq!(said, json!({ "type": "read_ok", read: [3, null, { "a": [null], "b": 1 }] }));
        set.end();
    }
}

#[test]
fn the_or_set_tells_tags() {
    let mut set = Cluster::one(&["or-set"]);
    assert_eq!(
        set.ask(0, json!({ "type": "or_set_add", "element": "tea" })),
        json!({ "type": "or_set_add_ok", "tag": "n1:1" })
    );
    assert_eq!(set.ask(0, json!({ "type": "or_set_add", "element": "tea" }))["tag"], "n1:2");
    let removed = set.ask(0, json!({ "type": "or_set_remove", "element": "tea" }));
    assert_eq!(removed, json!({ "type": "or_set_remove_ok", "tags_removed": ["n1:2"] }));
    let removed = set.ask(0, json!({ "type": "or_set_remove", "element": "tea" }));
    assert_eq!(removed["tags_removed"], json!([]));
    assert_eq!(set.ask(0, json!({ "type": "or_set_read" })), json!({ "type": "or_set_read_ok", "elements": [] }));
    set.end();
}

#[test]
fn registers_keep_siblings_or_the_last_write() {
    let mut register = Cluster::one(&["mv-register"]);
    let write =
        |value: &str, context: Value| json!({ "type": "mv_write", "key": "k", "value": value, "context": context });
    assert_eq!(register.ask(0, write("a", json!(null))), json!({ "type": "mv_write_ok", "vclock": { "n1": 1 } }));
    let merge = |value: &str, vclock: Value| json!({ "type": "mv_merge", "key": "k", "entry": { "value": value, "vclock": vclock } });
    assert_eq!(register.ask(0, merge("b", json!({ "n2": 1 }))), json!({ "type": "mv_merge_ok" }));
    let read = json!({ "type": "mv_read", "key": "k" });
    let siblings = json!([{ "value": "a", "vclock": { "n1": 1 } }, { "value": "b", "vclock": { "n2": 1 } }]);
    assert_eq!(register.ask(0, read.clone()), json!({ "type": "mv_read_ok", "values": siblings }));
    // Who has seen one of them replaces that one.
    assert_eq!(register.ask(0, write("c", json!({ "n2": 1 })))["vclock"], json!({ "n1": 2, "n2": 1 }));
    assert_eq!(register.ask(0, read.clone())["values"], json!([{ "value": "c", "vclock": { "n1": 2, "n2": 1 } }]));
    register.ask(0, merge("old", json!({ "n2": 1 })));
    assert_eq!(register.ask(0, read)["values"].as_array().map(Vec::len), Some(1));
    assert_eq!(register.ask(0, json!({ "type": "mv_read", "key": "none" }))["values"], json!([]));
    is_error(&register.ask(0, merge("x", json!({ "n2": "1" }))), 12, "`entry.vclock`");
    is_error(&register.ask(0, write("x", json!(7))), 12, "`context`");
    register.end();
    let mut register = Cluster::one(&["lww-register"]);
    is_error(&register.ask(0, json!({ "type": "read", "key": 1 })), 20, "1");
    assert_eq!(register.ask(0, json!({ "type": "write", "key": 1, "value": "v" })), json!({ "type": "write_ok" }));
    assert_eq!(register.ask(0, json!({ "type": "read", "key": 1 })), json!({ "type": "read_ok", "value": "v" }));
    is_error(&register.ask(0, json!({ "type": "cas", "key": 1, "from": 1, "to": 2 })), 10, "swap");
    register.end();
}

#[test]
fn texts_and_carts_answer_and_refuse() {
    let mut text = Cluster::one(&["rga"]);
    let insert = |position: Value, char: &str| json!({ "type": "seq_insert", "position": position, "char": char });
    assert_eq!(text.ask(0, insert(json!(0), "b")), json!({ "type": "seq_insert_ok", "id": "1-n1" }));
    assert_eq!(text.ask(0, insert(json!(0), "ä"))["id"], "2-n1");
    is_error(&text.ask(0, insert(json!(3), "x")), 12, "`position`");
    is_error(&text.ask(0, insert(json!(-1), "x")), 12, "`position`");
    is_error(&text.ask(0, insert(json!(0), "xy")), 12, "`char`");
    assert_eq!(text.ask(0, json!({ "type": "seq_read" })), json!({ "type": "seq_read_ok", "text": "äb", "length": 2 }));
    is_error(&text.ask(0, json!({ "type": "seq_delete", "position": 2 })), 12, "`position`");
    assert_eq!(text.ask(0, json!({ "type": "seq_delete", "position": 0 })), json!({ "type": "seq_delete_ok" }));
    assert_eq!(text.ask(0, json!({ "type": "seq_read" }))["text"], "b");
    text.end();
    let mut cart = Cluster::one(&["cart"]);
    let add = |item: &str, qty: Value| json!({ "type": "cart_add", "item": item, "qty": qty });
    assert_eq!(cart.ask(0, add("tea", json!(2))), json!({ "type": "cart_add_ok", "cart_size": 1 }));
    assert_eq!(cart.ask(0, add("milk", json!(1)))["cart_size"], 2);
    for wrong in [json!(0), json!(-1), json!(1.5), json!(null)] {
        is_error(&cart.ask(0, add("tea", wrong)), 12, "`qty`");
    }
    let items = json!([{ "item": "milk", "qty": 1 }, { "item": "tea", "qty": 2 }]);
    assert_eq!(
        cart.ask(0, json!({ "type": "cart_view" })),
        json!({ "type": "cart_view_ok", "items": items, "total_items": 3 })
    );
    assert_eq!(cart.ask(0, json!({ "type": "cart_remove", "item": "tea" })), json!({ "type": "cart_remove_ok" }));
    assert_eq!(cart.ask(0, json!({ "type": "cart_view" }))["total_items"], 1);
    cart.end();
}

#[test]
fn laws_are_verified_and_advice_is_measured() {
    let mut echo = Cluster::one(&["echo"]);
    let (a, b) = (
        json!({ "p_counters": { "n1": 1 }, "n_counters": {} }),
        json!({ "p_counters": {}, "n_counters": { "n2": 2 } }),
    );
    let said = echo.ask(0, json!({ "type": "crdt_verify", "state_a": a, "state_b": b }));
    let merged = json!({ "p_counters": { "n1": 1 }, "n_counters": { "n2": 2 } });
    let expected = json!({
        "type": "crdt_verify_ok", "merge_ab": merged, "merge_ba": merged,
        "commutative": true, "associative": true, "idempotent": true,
    });
    assert_eq!(said, expected);
    let asked = |rate: Value| json!({ "type": "tradeoff_analysis", "use_case": "likes", "partition_rate": rate, "conflict_rate": 0.9 });
    let advice = echo.ask(0, asked(json!(0.3)));
    assert_eq!((&advice["type"], &advice["recommendation"]), (&json!("tradeoff_analysis_ok"), &json!("CRDT")));
    assert!(advice["reasoning"].as_str().is_some_and(|text| text.contains("sim advise")));
    is_error(&echo.ask(0, asked(json!(7))), 12, "`partition_rate`");
    echo.end();
}

/// Three nodes of a kind, of whose messages every second is lost at first; then a cut, with updates on both sides; then
/// all is well.
fn converges(arguments: &[&str], updates: &[Value], read: &Value, expected: &Value) {
    let mut cluster = Cluster::start(3, arguments);
    let mut seen = 0_u32;
    cluster.lost = Box::new(move |_| {
        seen += 1;
        seen.is_multiple_of(2)
    });
    let (first, second) = updates.split_at(updates.len() / 2);
    let update = |cluster: &mut Cluster, place: usize, body: &Value| {
        let said = cluster.ask(place, body.clone());
        let kind = format!("{}_ok", body["type"].as_str().expect("a type"));
        assert_eq!(said["type"], kind, "{said}");
    };
    for (at, body) in first.iter().enumerate() {
        update(&mut cluster, at % 3, body);
    }
    cluster.lost = Box::new(|message| message["src"] == "n1" || message["dest"] == "n1");
    for (at, body) in second.iter().enumerate() {
        update(&mut cluster, at % 3, body);
    }
    cluster.lost = Box::new(|_| false);
    cluster.until_all_say(read, expected);
    cluster.end();
}

#[test]
fn counters_converge_after_losses_and_a_cut() {
    let updates: Vec<Value> = (1..=6).map(|delta| json!({ "type": "add", "delta": delta })).collect();
    let (read, expected) = (json!({ "type": "read" }), json!({ "type": "read_ok", "value": 21 }));
    for name in ["g-counter", "pn-counter"] {
        for mode in ["push", "pull", "push-pull"] {
            for payload in ["state", "delta", "digest"] {
                let arguments = [name, "--interval", "5ms", "--mode", mode, "--payload", payload];
                converges(&arguments, &updates, &read, &expected);
            }
        }
    }
}

#[test]
fn sets_converge_after_losses_and_a_cut() {
    let (read, elements) = (json!({ "type": "read" }), json!([1, 2, 3, 4, 5, 6]));
    for (name, kind, field, shown) in [
        ("g-set", "add", "element", "value"),
        ("broadcast", "broadcast", "message", "messages"),
        ("or-set", "add", "element", "value"),
    ] {
        let updates: Vec<Value> = (1..=6).map(|element| json!({ "type": kind, field: element })).collect();
        let expected = json!({ "type": "read_ok", shown: elements });
        for payload in ["state", "delta", "digest"] {
            converges(&[name, "--interval", "5ms", "--payload", payload], &updates, &read, &expected);
        }
    }
}

#[test]
fn carts_and_registers_converge_after_losses_and_a_cut() {
    let updates: Vec<Value> = (1..=6).map(|qty| json!({ "type": "cart_add", "item": "tea", "qty": qty })).collect();
    let expected = json!({ "type": "cart_view_ok", "items": [{ "item": "tea", "qty": 21 }], "total_items": 21 });
    converges(&["cart", "--interval", "5ms"], &updates, &json!({ "type": "cart_view" }), &expected);
    let updates: Vec<Value> = (1..=6).map(|key| json!({ "type": "write", "key": key, "value": key })).collect();
    let read = json!({ "type": "read", "key": 5 });
    converges(&["lww-register", "--interval", "5ms"], &updates, &read, &json!({ "type": "read_ok", "value": 5 }));
    let entry = |node: &str, value: u64| json!({ "type": "mv_merge", "key": "k", "entry": { "value": value, "vclock": { node: value } } });
    let updates = [entry("a", 1), entry("b", 1), entry("a", 2), entry("c", 1)];
    let values = json!([
        { "value": 2, "vclock": { "a": 2 } }, { "value": 1, "vclock": { "b": 1 } }, { "value": 1, "vclock": { "c": 1 } },
    ]);
    for payload in ["state", "delta", "digest"] {
        let arguments = ["mv-register", "--interval", "5ms", "--payload", payload];
        let expected = json!({ "type": "mv_read_ok", "values": values });
        converges(&arguments, &updates, &json!({ "type": "mv_read", "key": "k" }), &expected);
    }
}

#[test]
fn texts_converge_after_losses_and_a_cut() {
    let mut cluster = Cluster::start(2, &["rga", "--interval", "5ms"]);
    cluster.lost = Box::new(|_| true);
    for (place, char) in [(0, "a"), (1, "x"), (0, "b"), (1, "y")] {
        cluster.ask(place, json!({ "type": "seq_insert", "position": 0, "char": char }));
    }
    cluster.lost = Box::new(|_| false);
    let read = json!({ "type": "seq_read" });
    let mut length = json!(0);
    while length != 4 {
        length = cluster.ask(0, read.clone())["length"].clone();
    }
    let expected = cluster.ask(0, read.clone());
    cluster.until_all_say(&read, &expected);
    cluster.end();
}

#[test]
fn a_restarted_replica_writes_under_another_name() {
    let mut cluster = Cluster::start(1, &["pn-counter", "--incarnation", "2"]);
    cluster.ask(0, json!({ "type": "replicate", "p_counters": { "n1": 10 }, "n_counters": {} }));
    cluster.ask(0, json!({ "type": "add", "delta": 3 }));
    assert_eq!(cluster.ask(0, json!({ "type": "read" }))["value"], 13);
    cluster.end();
}

#[test]
fn peers_are_known_to_be_synced() {
    let mut cluster = Cluster::start(3, &["pn-counter", "--interval", "5ms"]);
    cluster.ask(0, json!({ "type": "increment" }));
    let mut status = Value::Null;
    while status["peers_synced"] != 2 {
        status = cluster.ask(0, json!({ "type": "gossip_status" }));
    }
    assert_eq!((&status["local_value"], status["gossip_rounds"].as_u64() > Some(0)), (&json!(1), true));
    cluster.end();
}

#[test]
fn the_naive_counter_agrees_and_loses() {
    let mut cluster = Cluster::start(2, &["naive"]);
    cluster.lost = Box::new(|_| true);
    cluster.ask(0, json!({ "type": "add", "delta": 1 }));
    cluster.ask(1, json!({ "type": "add", "delta": 5 }));
    cluster.lost = Box::new(|_| false);
    cluster.ask(0, json!({ "type": "add", "delta": 1 }));
    let expected = json!({ "type": "read_ok", "value": 2 });
    cluster.until_all_say(&json!({ "type": "read" }), &expected);
    cluster.end();
}

#[test]
fn occ_works_on_every_store() {
    for store in ["lin-kv", "seq-kv", "lww-kv"] {
        let mut cluster = Cluster::start(2, &["occ", "--store", store]);
        cluster.store.swaps_only = store == "lww-kv";
        assert_eq!(cluster.ask(0, json!({ "type": "read" })), json!({ "type": "read_ok", "value": 0 }));
        assert_eq!(cluster.ask(0, json!({ "type": "add", "delta": 5 })), json!({ "type": "add_ok" }));
        cluster.store.conflicts = 2;
        let said = cluster.ask(1, json!({ "type": "increment" }));
        assert_eq!(said, json!({ "type": "increment_ok", "local_value": 6 }));
        assert_eq!(cluster.ask(0, json!({ "type": "read" })), json!({ "type": "read_ok", "value": 6 }));
        assert_eq!(cluster.store.values["\"counter\""], 6);
        let synced = cluster.store.values.contains_key("\"sync-n1\"");
        assert_eq!(synced, store == "seq-kv");
        is_error(&cluster.ask(0, json!({ "type": "add", "delta": i64::MAX })), 12, "`delta`");
        is_error(&cluster.ask(0, json!({ "type": "add", "delta": 0.5 })), 12, "`delta`");
        cluster.end();
    }
}

#[test]
fn occ_says_what_is_not_known() {
    let mut cluster = Cluster::one(&["occ", "--rpc-timeout", "20ms", "--deadline", "100ms"]);
    cluster.store.silent = u32::MAX;
    is_error(&cluster.ask(0, json!({ "type": "add", "delta": 1 })), 11, "store");
    cluster.end();
    // The read is answered, and the swap is not.
    let mut cluster = Cluster::one(&["occ", "--rpc-timeout", "500ms", "--deadline", "60s"]);
    cluster.store.lost_swaps = 1;
    is_error(&cluster.ask(0, json!({ "type": "add", "delta": 1 })), 0, "may have taken effect");
    assert_eq!(cluster.ask(0, json!({ "type": "read" }))["value"], 1);
    cluster.end();
}

#[test]
fn the_proxy_passes_on_and_back() {
    let mut cluster = Cluster::one(&["lin-kv-proxy"]);
    is_error(&cluster.ask(0, json!({ "type": "read", "key": "k" })), 20, "as told");
    assert_eq!(cluster.ask(0, json!({ "type": "write", "key": "k", "value": [1] })), json!({ "type": "write_ok" }));
    assert_eq!(cluster.ask(0, json!({ "type": "read", "key": "k" })), json!({ "type": "read_ok", "value": [1] }));
    is_error(&cluster.ask(0, json!({ "type": "cas", "key": "k", "from": 1, "to": 2 })), 22, "as told");
    let create = json!({ "type": "cas", "key": "new", "from": 1, "to": 2, "create_if_not_exists": true });
    assert_eq!(cluster.ask(0, create), json!({ "type": "cas_ok" }));
    is_error(&cluster.ask(0, json!({ "type": "write", "key": "k" })), 12, "`value`");
    cluster.end();
    let mut cluster = Cluster::one(&["lin-kv-proxy", "--deadline", "20ms"]);
    cluster.store.silent = 1;
    is_error(&cluster.ask(0, json!({ "type": "write", "key": "k", "value": 2 })), 0, "in time");
    cluster.end();
}
