//! A Maelstrom node for the workloads `pn-counter` and `g-counter`.
//!
//! Every node counts for itself what was added and what was subtracted, and knows the counts of the others as far as it was told.
//! Twice a second it tells all that it knows to the next of its peers. Counts only grow, so of two counts of one node the larger
//! is the later one: a merge takes the maximum, whatever was lost, doubled or late.
//!
//! ```text
//! rustc -O --edition 2024 counter.rs && ./counter [--bug double-merge]
//! ```
//!
//! Bug `double-merge`: a merge adds what it is told to what it knows. What is told twice counts twice: reads grow without any
//! addition, and never agree.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const GOSSIP: Duration = Duration::from_millis(500);

/// What was counted at each node.
type Counts = BTreeMap<String, i64>;

#[derive(Default)]
struct Counter {
    merges_by_sum: bool,
    id: String,
    peers: Vec<String>,
    rounds: usize,
    added: Counts,
    subtracted: Counts,
}

impl Counter {
    fn handle(&mut self, message: &Message<'_>) {
        let body = message.body;
        match message.kind {
            "init" => {
                self.id = member(body, "node_id").unwrap_or_default().to_owned();
                let others =
                    items(member(body, "node_ids").unwrap_or_default()).into_iter().filter(|id| *id != self.id);
                self.peers = others.map(str::to_owned).collect();
                message.reply(r#""type":"init_ok""#);
            }
            "add" => match member(body, "delta").unwrap_or_default().parse::<i64>() {
                Ok(delta) => {
                    let counts = if delta >= 0 { &mut self.added } else { &mut self.subtracted };
                    let count = counts.entry(self.id.clone()).or_default();
                    *count = count.saturating_add(delta.saturating_abs());
                    message.reply(r#""type":"add_ok""#);
                }
                Err(_) => message.reply(r#""type":"error","code":12,"text":"delta is a whole number""#),
            },
            "read" => {
                let sum = |counts: &Counts| counts.values().fold(0, |sum: i64, count| sum.saturating_add(*count));
                let value = sum(&self.added).saturating_sub(sum(&self.subtracted));
                message.reply(&format!(r#""type":"read_ok","value":{value}"#));
            }
            "replicate" => {
                merge(&mut self.added, member(body, "p_counters"), self.merges_by_sum);
                merge(&mut self.subtracted, member(body, "n_counters"), self.merges_by_sum);
                message.reply(r#""type":"replicate_ok""#);
            }
            _ if member(body, "in_reply_to").is_some() => {}
            kind => message.reply(&format!(r#""type":"error","code":10,"text":"no such request: {kind}""#)),
        }
    }

    /// Tells the next peer all that is known.
    fn gossip(&mut self) {
        let Some(count) = self.peers.len().checked_sub(1) else { return };
        let peer = &self.peers[self.rounds % (count + 1)];
        self.rounds += 1;
        let (added, subtracted) = (told(&self.added), told(&self.subtracted));
        send(&self.id, peer, &format!(r#""type":"replicate","p_counters":{added},"n_counters":{subtracted}"#));
    }
}

/// Takes what another node tells.
fn merge(counts: &mut Counts, told: Option<&str>, by_sum: bool) {
    for (node, count) in members(told.unwrap_or_default()) {
        let Ok(count) = count.parse::<i64>() else { continue };
        let known = counts.entry(node.to_owned()).or_default();
        *known = if by_sum { known.saturating_add(count) } else { count.max(*known) };
    }
}

/// Counts as the object that they are told by.
fn told(counts: &Counts) -> String {
    let members: Vec<_> = counts.iter().map(|(node, count)| format!("{node}:{count}")).collect();
    format!("{{{}}}", members.join(","))
}

fn main() {
    let mut node = Counter { merges_by_sum: bug_asked_for("double-merge"), ..Counter::default() };
    let lines = lines();
    let mut due = Instant::now() + GOSSIP;
    loop {
        match lines.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(line) => match Message::read(&line) {
                Some(message) => node.handle(&message),
                None => eprintln!("passed over {line}"),
            },
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= due {
            node.gossip();
            due = Instant::now() + GOSSIP;
        }
    }
}

/// The lines of standard input, read by a thread of their own.
fn lines() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The bug that was asked for by `--bug NAME`.
fn bug_asked_for(known: &str) -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--bug", name] if name == known => true,
        _ => {
            eprintln!("usage: [--bug {known}]");
            std::process::exit(2);
        }
    }
}

// ---- Messages -----------------------------------------------------------------------------------------------------------

/// A message, in pieces of the line that it was. Names are texts with their quotes.
struct Message<'a> {
    src: &'a str,
    dest: &'a str,
    body: &'a str,
    kind: &'a str,
}

impl<'a> Message<'a> {
    /// Reads a line.
    fn read(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let body = member(line, "body")?;
        let kind = member(body, "type")?.trim_matches('"');
        Some(Self { src: member(line, "src")?, dest: member(line, "dest")?, body, kind })
    }

    /// Answers, unless no answer is asked for. Standard output is flushed at the end of each line.
    fn reply(&self, fields: &str) {
        if let Some(msg_id) = member(self.body, "msg_id") {
            send(self.dest, self.src, &format!(r#"{fields},"in_reply_to":{msg_id}"#));
        }
    }
}

/// Sends a body with these fields.
fn send(src: &str, dest: &str, fields: &str) {
    println!(r#"{{"src":{src},"dest":{dest},"body":{{{fields}}}}}"#);
}

// ---- JSON, the same in every Rust node here: values stay the texts that they are ----------------------------------------

/// The value at the beginning of a text.
fn value(text: &str) -> &str {
    let (mut depth, mut quoted, mut at) = (0_u32, false, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return &text[..=at];
                }
            }
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            // The bracket is the last byte of the value, or the first byte after it.
            b'}' | b']' if depth <= 1 => return &text[..at + depth as usize],
            b'}' | b']' => depth -= 1,
            b',' | b':' | b' ' | b'\t' | b'\r' if depth == 0 => return &text[..at],
            _ => {}
        }
        at += 1;
    }
    text
}

/// The elements of an array; the keys and values of an object, in turn.
fn items(collection: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut rest = collection.strip_prefix(['{', '[']).unwrap_or("");
    loop {
        rest = rest.trim_start_matches([',', ':', ' ', '\t']);
        let item = value(rest);
        if item.is_empty() {
            return items;
        }
        items.push(item);
        rest = &rest[item.len()..];
    }
}

/// The keys, with their quotes, and the values of an object.
fn members(object: &str) -> Vec<(&str, &str)> {
    items(object).chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// The value of a member that is there and not null.
fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let is_it = |found: &str| found.trim_matches('"') == key;
    members(object).into_iter().find(|&(found, value)| is_it(found) && value != "null").map(|(_, value)| value)
}
