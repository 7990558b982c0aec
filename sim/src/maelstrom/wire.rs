//! Messages of the Maelstrom protocol: one JSON object a line.
//!
//! ```json
//! {"src": "c1", "dest": "n1", "body": {"type": "echo", "msg_id": 1, "echo": "hello"}}
//! {"src": "n1", "dest": "c1", "body": {"type": "echo_ok", "in_reply_to": 1, "echo": "hello"}}
//! ```
//!
//! Invariant: a message that is written can be read, and has one form: keys are sorted. What is read may have further keys beside
//! these, such as the `id` that networks of the protocol add; they are passed over.
//!
//! What is deliberately absent: the meaning of bodies. Only `type`, `msg_id` and `in_reply_to` have one here.

use serde_json::{Map, Value, json};

/// The body of a message: an object with at least a `type`.
#[derive(Clone, Debug, PartialEq)]
pub struct Body(pub Map<String, Value>);

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who sends it.
    pub src: String,
    /// Who is to get it.
    pub dest: String,
    /// What it says.
    pub body: Body,
}

/// Why a line is no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Body {
    /// A body of this type, with these further fields.
    ///
    /// # Panics
    /// When `fields` is not an object.
    pub fn new(kind: &str, fields: Value) -> Self {
        let Value::Object(mut map) = fields else { panic!("the fields of a body are an object") };
        map.insert("type".to_owned(), json!(kind));
        Self(map)
    }

    /// An error, in reply to whatever it is sent in reply to.
    pub fn error(code: ErrorCode, text: &str) -> Self {
        Self::new("error", json!({ "code": code.number(), "text": text }))
    }

    /// What kind of body this is.
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or("")
    }

    /// The number by which a reply will name this message; `None` if it asks for none.
    pub fn msg_id(&self) -> Option<i64> {
        self.0.get("msg_id").and_then(Value::as_i64)
    }

    /// The number of the message to which this one replies; an absent and a null one are the same.
    pub fn in_reply_to(&self) -> Option<i64> {
        self.0.get("in_reply_to").and_then(Value::as_i64)
    }

    /// This body as the request number `msg_id`.
    #[must_use]
    pub fn asking(mut self, msg_id: i64) -> Self {
        self.0.insert("msg_id".to_owned(), json!(msg_id));
        self
    }

    /// This body as a reply to the request number `msg_id`; to none if it had no number.
    #[must_use]
    pub fn replying(mut self, msg_id: Option<i64>) -> Self {
        if let Some(msg_id) = msg_id {
            self.0.insert("in_reply_to".to_owned(), json!(msg_id));
        }
        self
    }
}

impl Message {
    /// A message.
    pub fn new(src: &str, dest: &str, body: Body) -> Self {
        Self { src: src.to_owned(), dest: dest.to_owned(), body }
    }

    /// Reads a line.
    pub fn parse(line: &[u8]) -> Result<Self, Malformed> {
        let malformed = |reason: &str| Malformed(reason.to_owned());
        let text = std::str::from_utf8(line).map_err(|error| Malformed(format!("not UTF-8: {error}")))?;
        let value: Value = serde_json::from_str(text).map_err(|error| Malformed(format!("not JSON: {error}")))?;
        let Value::Object(mut map) = value else { return Err(malformed("not an object")) };
        let mut name = |key: &str| match map.remove(key) {
            Some(Value::String(name)) => Ok(name),
            Some(_) => Err(Malformed(format!("`{key}` is not a string"))),
            None => Err(Malformed(format!("`{key}` is missing"))),
        };
        let (src, dest) = (name("src")?, name("dest")?);
        let body = match map.remove("body") {
            Some(Value::Object(body)) => Body(body),
            Some(_) => return Err(malformed("`body` is not an object")),
            None => return Err(malformed("`body` is missing")),
        };
        match body.0.get("type") {
            Some(Value::String(_)) => Ok(Self { src, dest, body }),
            Some(_) => Err(malformed("the `type` of the body is not a string")),
            None => Err(malformed("the body has no `type`")),
        }
    }

    /// The line, without its line break.
    pub fn line(&self) -> String {
        json!({ "src": self.src, "dest": self.dest, "body": self.body.0 }).to_string()
    }
}

/// What went wrong, by the numbers of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorCode {
    /// No answer in time.
    Timeout,
    /// The receiver does not exist.
    NodeNotFound,
    /// The receiver does not know this type of request.
    NotSupported,
    /// The receiver cannot do it now.
    TemporarilyUnavailable,
    /// The request makes no sense.
    MalformedRequest,
    /// The receiver failed on the way.
    Crash,
    /// It did not and will not happen.
    Abort,
    /// There is no such key.
    KeyDoesNotExist,
    /// There is such a key already.
    KeyAlreadyExists,
    /// The value was not the expected one.
    PreconditionFailed,
    /// Another transaction was in the way.
    TxnConflict,
}

impl ErrorCode {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Timeout,
        Self::NodeNotFound,
        Self::NotSupported,
        Self::TemporarilyUnavailable,
        Self::MalformedRequest,
        Self::Crash,
        Self::Abort,
        Self::KeyDoesNotExist,
        Self::KeyAlreadyExists,
        Self::PreconditionFailed,
        Self::TxnConflict,
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::Timeout => 0,
            Self::NodeNotFound => 1,
            Self::NotSupported => 10,
            Self::TemporarilyUnavailable => 11,
            Self::MalformedRequest => 12,
            Self::Crash => 13,
            Self::Abort => 14,
            Self::KeyDoesNotExist => 20,
            Self::KeyAlreadyExists => 21,
            Self::PreconditionFailed => 22,
            Self::TxnConflict => 30,
        }
    }

    /// The code with this number.
    pub fn numbered(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| u64::from(code.number()) == number)
    }

    /// Did the operation certainly not happen, and will it not happen later? Codes that nobody knows are indefinite.
    pub fn is_definite(self) -> bool {
        !matches!(self, Self::Timeout | Self::Crash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_written_is_read() {
        let body = Body::new("echo", json!({ "echo": ["ä", null, 1.5] })).asking(7).replying(Some(0));
        let message = Message::new("c1", "n1", body);
        let line = message.line();
        assert_eq!(
            line,
            r#"{"body":{"echo":["ä",null,1.5],"in_reply_to":0,"msg_id":7,"type":"echo"},"dest":"n1","src":"c1"}"#
        );
        assert_eq!(Message::parse(line.as_bytes()), Ok(message));
    }

    #[test]
    fn further_keys_and_null_numbers_are_tolerated() {
        let line = br#"{"id": 3, "src": "c1", "dest": "n1", "extra": {}, "body": {"type": "read", "msg_id": null}}"#;
        let message = Message::parse(line).expect("a message");
        assert_eq!((message.body.msg_id(), message.body.in_reply_to()), (None, None));
        assert_eq!(message.body.kind(), "read");
    }

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        for (line, reason) in [
            (&b"hello"[..], "not JSON"),
            (b"\xff", "not UTF-8"),
            (b"[]", "not an object"),
            (br#"{"src":"a","body":{"type":"x"}}"#, "`dest` is missing"),
            (br#"{"src":1,"dest":"b","body":{"type":"x"}}"#, "`src` is not a string"),
            (br#"{"src":"a","dest":"b"}"#, "`body` is missing"),
            (br#"{"src":"a","dest":"b","body":3}"#, "`body` is not an object"),
            (br#"{"src":"a","dest":"b","body":{}}"#, "no `type`"),
            (br#"{"src":"a","dest":"b","body":{"type":1}}"#, "not a string"),
        ] {
            let Malformed(said) = Message::parse(line).expect_err("no message");
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn codes_have_the_numbers_of_the_protocol() {
        assert_eq!(ErrorCode::ALL.map(ErrorCode::number), [0, 1, 10, 11, 12, 13, 14, 20, 21, 22, 30]);
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::numbered(u64::from(code.number())), Some(code));
            assert_eq!(code.is_definite(), ![0, 13].contains(&code.number()));
        }
        assert_eq!(ErrorCode::numbered(1000), None);
    }
}
