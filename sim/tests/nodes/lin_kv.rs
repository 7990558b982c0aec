//! A Maelstrom node for the workload `lin-kv`.
//!
//! It stores nothing: each `read`, `write` and `cas` is passed on to the service `lin-kv`, and the answer is passed back, errors
//! included. If the service does not answer within a second, nobody knows whether it did what it was asked: error 0.
//!
//! ```text
//! rustc -O --edition 2024 lin_kv.rs && ./lin_kv [--bug local]
//! ```
//!
//! Bug `local`: every node keeps a store of its own. What is written at one is not seen at another: the history of a key is not
//! linearizable as soon as two nodes serve it.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

const SERVICE: &str = r#""lin-kv""#;
const TIMEOUT: Duration = Duration::from_secs(1);

/// A request that was passed on: who asked, by which number, and when it is given up.
struct Waiting {
    client: String,
    msg_id: Option<String>,
    due: Instant,
}

#[derive(Default)]
struct Proxy {
    keeps_its_own: bool,
    id: String,
    store: BTreeMap<String, String>,
    msg_ids: u64,
    /// By number of the request to the service. All wait equally long, so the first is due first.
    unanswered: BTreeMap<u64, Waiting>,
}

impl Proxy {
    fn handle(&mut self, message: &Message<'_>) {
        let in_reply_to = member(message.body, "in_reply_to").map(str::parse);
        match message.kind {
            "init" => {
                self.id = member(message.body, "node_id").unwrap_or_default().to_owned();
                message.reply(r#""type":"init_ok""#);
            }
            _ if in_reply_to.is_some() => {
                if let Some(waiting) = in_reply_to.and_then(Result::ok).and_then(|id| self.unanswered.remove(&id)) {
                    self.answer(&waiting, &without_numbers(message.body));
                }
            }
            "read" | "write" | "cas" if self.keeps_its_own => message.reply(&self.serve(message)),
            "read" | "write" | "cas" => {
                self.msg_ids += 1;
                let fields = format!(r#"{},"msg_id":{}"#, without_numbers(message.body), self.msg_ids);
                send(&self.id, SERVICE, &fields);
                let msg_id = member(message.body, "msg_id").map(str::to_owned);
                let waiting = Waiting { client: message.src.to_owned(), msg_id, due: Instant::now() + TIMEOUT };
                self.unanswered.insert(self.msg_ids, waiting);
            }
            kind => message.reply(&format!(r#""type":"error","code":10,"text":"no such request: {kind}""#)),
        }
    }

    fn answer(&self, waiting: &Waiting, fields: &str) {
        if let Some(msg_id) = &waiting.msg_id {
            send(&self.id, &waiting.client, &format!(r#"{fields},"in_reply_to":{msg_id}"#));
        }
    }

    /// What a store of this node alone answers.
    fn serve(&mut self, message: &Message<'_>) -> String {
        let field = |name| member(message.body, name).unwrap_or("null").to_owned();
        let key = field("key");
        match (message.kind, self.store.get(&key)) {
            ("write", _) => {
                self.store.insert(key, field("value"));
                r#""type":"write_ok""#.to_owned()
            }
            (_, None) => r#""type":"error","code":20,"text":"no such key""#.to_owned(),
            ("read", Some(value)) => format!(r#""type":"read_ok","value":{value}"#),
            (_, Some(value)) if *value != field("from") => r#""type":"error","code":22,"text":"changed""#.to_owned(),
            _ => {
                self.store.insert(key, field("to"));
                r#""type":"cas_ok""#.to_owned()
            }
        }
    }

    /// Gives up what the service has not answered in time.
    fn give_up(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.unanswered.first_entry().filter(|first| first.get().due <= now) {
            let waiting = first.remove();
            self.answer(&waiting, r#""type":"error","code":0,"text":"lin-kv did not answer""#);
        }
    }

    /// How long to wait for the next line: for ever when nothing is asked.
    fn patience(&self) -> Option<Duration> {
        self.unanswered.values().next().map(|first| first.due.saturating_duration_since(Instant::now()))
    }
}

/// The fields of a body but for the numbers of the message.
fn without_numbers(body: &str) -> String {
    let of_message = |key: &str| matches!(key, r#""msg_id""# | r#""in_reply_to""#);
    let fields: Vec<_> = members(body).into_iter().filter(|(key, _)| !of_message(key)).collect();
    fields.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(",")
}

fn main() {
    let mut node = Proxy { keeps_its_own: bug_asked_for("local"), ..Proxy::default() };
    let lines = lines();
    loop {
        let line = match node.patience() {
            Some(patience) => lines.recv_timeout(patience),
            None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match line {
            Ok(line) => match Message::read(&line) {
                Some(message) => node.handle(&message),
                None => eprintln!("passed over {line}"),
            },
            Err(RecvTimeoutError::Timeout) => node.give_up(),
            Err(RecvTimeoutError::Disconnected) => return,
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
