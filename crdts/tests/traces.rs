//! Real editing histories end in the text in which they ended for the people who typed them.
//!
//! The traces are not part of the project. Without them, these tests say so and pass.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crdts::{
    Encode, Lattice, ReplicaId,
    sequence::{FugueMaxOrder, FugueOrder, Op, Ordering, RgaOrder, Text},
};
use serde_json::Value;

/// Position, number of deleted characters, inserted text.
type Patch = (usize, usize, String);

fn trace(name: &str) -> Option<Value> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path: PathBuf = checkout.join("shared/data/editing-traces").join(format!("{name}.json.gz"));
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    };
    let mut json = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut json).expect("the trace is a gzip file");
    Some(serde_json::from_str(&json).expect("the trace is JSON"))
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn patches(txn: &Value) -> Vec<Patch> {
    let patch = |patch: &Value| (number(&patch[0]), number(&patch[1]), patch[2].as_str().expect("a text").to_owned());
    list(&txn["patches"]).iter().map(patch).collect()
}

fn edit<O: Ordering>(text: &mut Text<O>, replica: ReplicaId, patches: &[Patch]) -> Vec<Op<'static>> {
    let mut ops = Vec::new();
    for (position, deleted, inserted) in patches {
        let deletions = text.delete(replica, *position, *deleted).expect("within the text");
        ops.extend(deletions.iter().map(Op::from));
        if !inserted.is_empty() {
            ops.push(text.insert(replica, *position, inserted).expect("within the text").into_owned());
        }
    }
    ops
}

/// A fixed order that has nothing to do with that of the operations.
fn shuffled<'a>(ops: &'a [Op<'static>]) -> Vec<&'a Op<'static>> {
    let mut order: Vec<&Op<'_>> = ops.iter().collect();
    let mut state = 88_172_645_463_325_252_u64;
    for at in (1..order.len()).rev() {
        for (left, shift) in [(true, 13), (false, 7), (true, 17)] {
            state ^= if left { state << shift } else { state >> shift };
        }
        order.swap(at, (state % (at as u64 + 1)) as usize);
    }
    order
}

/// All ways to hear of a history end in one state.
fn check_deliveries<O: Ordering>(ops: &[Op<'static>], end: &str) -> Text<O> {
    let mut applied = Text::<O>::new();
    for op in ops {
        assert_eq!(applied.try_apply(op), Ok(true));
    }
    assert_eq!(applied.text(), end);
    assert_eq!(applied.len(), end.chars().count());

    let (mut reversed, mut in_disorder) = (Text::<O>::new(), Text::<O>::new());
    for op in ops.iter().rev() {
        assert_eq!(reversed.receive(op), Ok(true));
    }
    for op in shuffled(ops) {
        assert_eq!(in_disorder.receive(op), Ok(true));
    }
    assert_eq!(reversed, applied);
    assert_eq!(in_disorder, applied);
    assert_eq!(reversed.text(), end);
    assert_eq!(in_disorder.text(), end);

    let mut bytes = Vec::new();
    applied.encode(&mut bytes);
    assert_eq!(Text::<O>::decode(&bytes).as_ref(), Ok(&applied));

    // As a state, into one that has heard of every third operation.
    let mut behind = Text::<O>::new();
    for op in ops.iter().step_by(3) {
        assert_eq!(behind.receive(op), Ok(true));
    }
    assert!(behind.join(&applied));
    assert_eq!(behind, applied);
    assert_eq!(behind.text(), end);
    applied
}

fn check_sequential<O: Ordering>(name: &str) {
    let Some(trace) = trace(name) else { return };
    let end = trace["endContent"].as_str().expect("a text");
    let replica = ReplicaId(1);
    let mut local = Text::<O>::new();
    let mut ops = Vec::new();
    if let Some(start) = trace["startContent"].as_str().filter(|start| !start.is_empty()) {
        ops.push(local.insert(replica, 0, start).expect("at the beginning").into_owned());
    }
    for txn in list(&trace["txns"]) {
        ops.extend(edit(&mut local, replica, &patches(txn)));
    }
    assert_eq!(local.text(), end);
    assert_eq!(check_deliveries::<O>(&ops, end), local);
}

/// Each agent is a replica that hears of a transaction when its own next one has it as an ancestor.
fn check_concurrent<O: Ordering>(name: &str) {
    let Some(trace) = trace(name) else { return };
    let end = trace["endContent"].as_str().expect("a text");
    let agents = number(&trace["numAgents"]);
    let txns = list(&trace["txns"]);
    let mut replicas = vec![Text::<O>::new(); agents];
    let mut heard = vec![vec![false; txns.len()]; agents];
    let mut ops: Vec<Vec<Op<'static>>> = Vec::new();
    for (at, txn) in txns.iter().enumerate() {
        let agent = number(&txn["agent"]);
        let mut missing = Vec::new();
        let mut ancestors: Vec<usize> = list(&txn["parents"]).iter().map(number).collect();
        while let Some(ancestor) = ancestors.pop() {
            if !std::mem::replace(&mut heard[agent][ancestor], true) {
                missing.push(ancestor);
                ancestors.extend(list(&txns[ancestor]["parents"]).iter().map(number));
            }
        }
        missing.sort_unstable();
        for op in missing.iter().flat_map(|&txn| &ops[txn]) {
            assert_eq!(replicas[agent].try_apply(op), Ok(true));
        }
        ops.push(edit(&mut replicas[agent], ReplicaId(agent as u32 + 1), &patches(txn)));
        heard[agent][at] = true;
    }
    let ops: Vec<Op<'static>> = ops.into_iter().flatten().collect();
    let all = check_deliveries::<O>(&ops, end);

    let parts = replicas.clone();
    for replica in &mut replicas {
        for part in &parts {
            replica.join(part);
        }
        assert_eq!(replica, &all);
        assert_eq!(replica.text(), end);
    }
}

#[test]
fn a_paper_typed_by_one_person() {
    check_sequential::<FugueMaxOrder>("automerge-paper");
}

#[test]
fn a_program() {
    check_sequential::<FugueOrder>("rustcode");
    check_sequential::<RgaOrder>("rustcode");
}

#[test]
fn a_component() {
    check_sequential::<RgaOrder>("sveltecomponent");
    check_sequential::<FugueOrder>("sveltecomponent");
    check_sequential::<FugueMaxOrder>("sveltecomponent");
}

#[test]
fn two_friends_at_once() {
    check_concurrent::<RgaOrder>("friendsforever");
    check_concurrent::<FugueOrder>("friendsforever");
    check_concurrent::<FugueMaxOrder>("friendsforever");
}
