//! What clients ask of programs that somebody else wrote: the operations of all workloads of the Maelstrom protocol as one
//! object.
//!
//! A program is told apart by what it answers, not by its type: so one object holds the operations of all workloads, and one kind of
//! world runs them all. A client of a run asks for the operations of one workload only; [`Ask`] says which belong together.
//!
//! Invariant: states and answers are JSON in one canonical form ([`Json`]), so that equal answers are equal and have one digest.
//!
//! ```
//! use sim::objects::foreign::Json;
//! let value = serde_json::json!({ "b": [1, 1.0], "a": null });
//! assert_eq!(Json::of(&value).as_str(), r#"{"a":null,"b":[1,1.0]}"#);
//! ```
//!
//! What is deliberately absent: a state that anybody could see. What a program holds is known by what it answers to reads, and by
//! nothing else.

mod judge;

use std::{fmt, hash::Hash, sync::Arc};

use crdts::object::Object;

use crate::{
    checkers::visibility::{Fits, Made, Visibility},
    history::{Spoken, file::Value},
    protocols::wire::Wire,
};

/// JSON in its canonical form: keys sorted, no spaces. Numbers are equal if they are written alike: 1 and 1.0 are two.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// The canonical form of a value.
    pub fn of(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).expect("a canonical form was written from a value")
    }
}

impl Default for Json {
    fn default() -> Self {
        Self("null".into())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Foreign;

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The number of the client; `None` for a final read, which has a reader of its own.
    pub client: Option<u32>,
    /// What it asks for.
    pub what: Ask,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Of a counter, a set, or what was broadcast: all of it.
    Read,
    /// Of a counter: add this.
    Add(i64),
    /// Of a set or a broadcast: include this, which nobody else includes.
    Include(i64),
    /// Of a store: the value of a key.
    Get(u32),
    /// Of a store: set the value of a key.
    Put(u32, i64),
    /// Of a store: set the value of a key from the first value to the second.
    Swap(u32, i64, i64),
    /// The same text back.
    Echo(Arc<str>),
    /// An id that nobody else gets.
    Generate,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It was done.
    Done,
    /// What was read, echoed or generated. The elements of sets are sorted.
    Value(Json),
    /// What a key holds.
    Entry(u32, Json),
}

impl Object for Foreign {
    type Op = Asked;
    type Ret = Answer;
    type State = Json;

    const NAME: &'static str = "foreign";

    /// What a program does is for the program to say: here nothing ever changes.
    fn step(state: &mut Json, op: &Asked) -> Answer {
        match &op.what {
            Ask::Add(_) | Ask::Include(_) | Ask::Put(..) | Ask::Swap(..) => Answer::Done,
            Ask::Get(key) => Answer::Entry(*key, state.clone()),
            Ask::Read | Ask::Echo(_) | Ask::Generate => Answer::Value(state.clone()),
        }
    }

    fn is_update(op: &Asked) -> bool {
        matches!(op.what, Ask::Add(_) | Ask::Include(_) | Ask::Put(..) | Ask::Swap(..) | Ask::Generate)
    }

    fn read() -> Asked {
        Asked { client: None, what: Ask::Read }
    }

    fn op_name(op: &Asked) -> &'static str {
        match op.what {
            Ask::Add(_) | Ask::Include(_) => "add",
            Ask::Read | Ask::Get(_) => "read",
            Ask::Put(..) => "write",
            Ask::Swap(..) => "cas",
            Ask::Echo(_) => "echo",
            Ask::Generate => "generate",
        }
    }
}

impl Spoken for Foreign {
    fn argument(op: &Asked) -> Value {
        let number = |number: i64| Value::Int(i128::from(number));
        let keyed = |key: u32, value: Value| Value::List(vec![Value::Int(i128::from(key)), value]);
        match &op.what {
            Ask::Read | Ask::Generate => Value::Nil,
            Ask::Add(amount) => number(*amount),
            Ask::Include(element) => number(*element),
            Ask::Get(key) => keyed(*key, Value::Nil),
            Ask::Put(key, value) => keyed(*key, number(*value)),
            Ask::Swap(key, from, to) => keyed(*key, Value::List(vec![number(*from), number(*to)])),
            Ask::Echo(text) => Value::Text(text.to_string()),
        }
    }

    fn returned(ret: &Answer) -> Value {
        match ret {
            Answer::Done => Value::Nil,
            Answer::Value(json) => Value::from_json(json.value()),
            Answer::Entry(key, json) => Value::List(vec![Value::Int(i128::from(*key)), Value::from_json(json.value())]),
        }
    }

    fn state(state: &Json) -> Value {
        Value::from_json(state.value())
    }
}

impl Wire for Foreign {
    /// Requests of clients have no size of their own in the network; this is that of their arguments.
    fn op_bytes(op: &Asked) -> u64 {
        match &op.what {
            Ask::Read | Ask::Generate => 0,
            Ask::Add(_) | Ask::Include(_) => 8,
            Ask::Get(_) => 4,
            Ask::Put(..) => 12,
            Ask::Swap(..) => 20,
            Ask::Echo(text) => text.len() as u64,
        }
    }

    fn state_bytes(state: &Json) -> u64 {
        state.as_str().len() as u64
    }
}

impl Fits for Foreign {
    /// Nobody knows which updates are behind an answer of a program, so nothing can be held against them.
    fn fits(_: &[Made<'_, Self>], _: &Visibility, _: &Json) -> Result<(), String> {
        Ok(())
    }
}
