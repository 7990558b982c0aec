//! A Maelstrom node for the workload `broadcast`.
//!
//! A message that is new is kept and passed on to every neighbour. What a neighbour has not acknowledged is sent again, twice a
//! second. Neighbours are those of the `topology`; before there is one, all other nodes.
//!
//! ```text
//! rustc -O --edition 2024 broadcast.rs && ./broadcast [--bug no-retry]
//! ```
//!
//! Bug `no-retry`: a message is passed on once. What is lost on the way, or sent into a partition, never arrives at some nodes:
//! final reads lack elements.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const RETRY: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Broadcast {
    never_retries: bool,
    id: String,
    neighbours: Vec<String>,
    messages: BTreeSet<String>,
    msg_ids: u64,
    /// What was not acknowledged: by number of the request, the neighbour and the message.
    unanswered: BTreeMap<u64, (String, String)>,
}

impl Broadcast {
    fn handle(&mut self, message: &Message<'_>) {
        let body = message.body;
        match message.kind {
            "init" => {
                self.id = member(body, "node_id").unwrap_or_default().to_owned();
                let others =
                    items(member(body, "node_ids").unwrap_or_default()).into_iter().filter(|id| *id != self.id);
                self.neighbours = others.map(str::to_owned).collect();
                message.reply(r#""type":"init_ok""#);
            }
            "topology" => {
                let topology = member(body, "topology").unwrap_or_default();
                if let Some(neighbours) = member(topology, self.id.trim_matches('"')) {
                    self.neighbours = items(neighbours).into_iter().map(str::to_owned).collect();
                }
                message.reply(r#""type":"topology_ok""#);
            }
            "broadcast" => {
                self.learn(member(body, "message").unwrap_or("null"), message.src);
                message.reply(r#""type":"broadcast_ok""#);
            }
            "broadcast_ok" => {
                if let Some(Ok(number)) = member(body, "in_reply_to").map(str::parse) {
                    self.unanswered.remove(&number);
                }
            }
            "read" => {
                let messages: Vec<_> = self.messages.iter().map(String::as_str).collect();
                message.reply(&format!(r#""type":"read_ok","messages":[{}]"#, messages.join(",")));
            }
            _ if member(body, "in_reply_to").is_some() => {}
            kind => message.reply(&format!(r#""type":"error","code":10,"text":"no such request: {kind}""#)),
        }
    }

    /// Keeps a message, and passes it on if it is new.
    fn learn(&mut self, message: &str, teller: &str) {
        if !self.messages.insert(message.to_owned()) {
            return;
        }
        for neighbour in self.neighbours.iter().filter(|neighbour| *neighbour != teller) {
            self.msg_ids += 1;
            self.pass_on(self.msg_ids, neighbour, message);
            if !self.never_retries {
                self.unanswered.insert(self.msg_ids, (neighbour.clone(), message.to_owned()));
            }
        }
    }

    fn pass_on(&self, msg_id: u64, neighbour: &str, message: &str) {
        send(&self.id, neighbour, &format!(r#""type":"broadcast","message":{message},"msg_id":{msg_id}"#));
    }

    fn retry(&self) {
        for (msg_id, (neighbour, message)) in &self.unanswered {
            self.pass_on(*msg_id, neighbour, message);
        }
    }
}

fn main() {
    let mut node = Broadcast { never_retries: bug_asked_for("no-retry"), ..Broadcast::default() };
    let lines = lines();
    let mut due = Instant::now() + RETRY;
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
            node.retry();
            due = Instant::now() + RETRY;
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
