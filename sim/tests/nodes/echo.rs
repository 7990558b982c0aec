//! A Maelstrom node for the workload `echo`.
//!
//! It answers every request with the text that was asked for, and keeps nothing.
//!
//! ```text
//! rustc -O --edition 2024 echo.rs && ./echo [--bug previous]
//! ```
//!
//! Bug `previous`: an answer carries the text of the request before, as if a buffer were written to before it is read. The first
//! request is answered rightly.

use std::io::{self, BufRead};

fn main() {
    let is_late = bug_asked_for("previous");
    let mut previous: Option<String> = None;
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let Some(message) = Message::read(&line) else {
            eprintln!("passed over {line}");
            continue;
        };
        match message.kind {
            "init" => message.reply(r#""type":"init_ok""#),
            "echo" => {
                let echo = member(message.body, "echo").unwrap_or("null");
                let before = previous.replace(echo.to_owned()).filter(|_| is_late);
                message.reply(&format!(r#""type":"echo_ok","echo":{}"#, before.as_deref().unwrap_or(echo)));
            }
            _ if member(message.body, "in_reply_to").is_some() => {}
            kind => message.reply(&format!(r#""type":"error","code":10,"text":"no such request: {kind}""#)),
        }
    }
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
