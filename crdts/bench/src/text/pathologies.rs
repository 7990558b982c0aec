//! Edits that nobody makes by hand, and that must not be quadratic.

use super::floors::Plain as _;
use crate::{
    draws::Draws,
    floors::GapBuffer,
    traces::{Patch, Trace, Transaction},
};

/// A story, and how its trace is made.
pub type Pathology = (&'static str, fn() -> Trace);

/// All of them.
pub fn all() -> [Pathology; 5] {
    [
        (
            "100 replicas type 1,000 characters each, all at the same place, without hearing of each other",
            hundred_replicas,
        ),
        ("10,000,000 characters pasted at once, then 10,000 edits within", huge_paste),
        ("200,000 edits at random positions of a text of 1,000,000 characters", random_positions),
        ("1,000,000 edits in one place: a character typed and deleted, again and again", one_place),
        ("1,000,000 characters typed backward: each before the one before", backward),
    ]
}

fn transaction(position: usize, deleted: usize, inserted: impl Into<String>) -> Transaction {
    Transaction { agent: 0, parents: Vec::new(), patches: vec![Patch(position, deleted, inserted.into())] }
}

fn sequential(name: &str, txns: Vec<Transaction>) -> Trace {
    let mut text = GapBuffer::default();
    for patch in txns.iter().flat_map(|transaction| &transaction.patches) {
        text.edit(patch);
    }
    Trace { name: name.into(), end_content: Some(text.text()), num_agents: 1, txns }
}

fn letter(index: usize) -> char {
    char::from(b'a' + (index % 26) as u8)
}

fn letters(count: usize) -> String {
    (0..count).map(letter).collect()
}

fn one_place() -> Trace {
    let paste = std::iter::once(transaction(0, 0, letters(1000)));
    let edits = (0..1_000_000).map(|index| match index % 2 {
        0 => transaction(500, 0, letter(index / 2)),
        _ => transaction(500, 1, ""),
    });
    sequential("one place", paste.chain(edits).collect())
}

fn backward() -> Trace {
    sequential("backward", (0..1_000_000).map(|index| transaction(0, 0, letter(index))).collect())
}

fn edits_within(length: usize, edits: usize) -> Vec<Transaction> {
    let (mut length, mut draws) = (length, Draws::new(length as u64));
    let mut txns = vec![transaction(0, 0, letters(length))];
    for index in 0..edits {
        if draws.below(10) < 7 {
            txns.push(transaction(draws.below(length + 1), 0, letter(index)));
            length += 1;
        } else {
            txns.push(transaction(draws.below(length), 1, ""));
            length -= 1;
        }
    }
    txns
}

fn huge_paste() -> Trace {
    sequential("huge paste", edits_within(10_000_000, 10_000))
}

fn random_positions() -> Trace {
    sequential("random positions", edits_within(1_000_000, 200_000))
}

fn hundred_replicas() -> Trace {
    let typed = |index: usize| (0..100).map(move |agent| (agent, index));
    let txns =
        (0..1000).flat_map(typed).map(|(agent, index)| Transaction { agent, ..transaction(index, 0, letter(agent)) });
    Trace { name: "100 replicas".into(), end_content: None, num_agents: 100, txns: txns.collect() }
}
