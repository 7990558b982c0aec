//! How objects speak: operations, answers and states as plain values, for files and for people.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    object::Object,
    objects::{
        cart::{Cart, CartOp, CartRet},
        counter::{Counter, CounterOp, CounterRet},
        mv_register::{MultiValue, MultiValueRet},
        register::{Register, RegisterOp, RegisterRet},
        sequence::{Sequence, SequenceOp, SequenceRet},
        set::{Set, SetOp, SetRet},
    },
};

use crate::history::file::Value;

/// An object whose operations can be written down.
pub trait Spoken: Object {
    /// What an operation is called with; [`Value::Nil`] for nothing.
    fn argument(op: &Self::Op) -> Value;

    /// What a read returned; [`Value::Nil`] for answers that say nothing.
    fn returned(ret: &Self::Ret) -> Value;

    /// A state.
    fn state(state: &Self::State) -> Value;
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn texts<'a>(list: impl IntoIterator<Item = &'a String>) -> Vec<Value> {
    list.into_iter().map(|entry| text(entry)).collect()
}

impl Spoken for Counter {
    fn argument(op: &CounterOp) -> Value {
        match op {
            CounterOp::Add(amount) => Value::Int(i128::from(*amount)),
            CounterOp::Read => Value::Nil,
        }
    }

    fn returned(ret: &CounterRet) -> Value {
        match ret {
            CounterRet::Added => Value::Nil,
            CounterRet::Total(total) => Value::Int(*total),
        }
    }

    fn state(total: &i128) -> Value {
        Value::Int(*total)
    }
}

impl Spoken for Set<String> {
    fn argument(op: &SetOp<String>) -> Value {
        match op {
            SetOp::Add(element) | SetOp::Remove(element) | SetOp::Contains(element) => text(element),
            SetOp::Read => Value::Nil,
        }
    }

    fn returned(ret: &SetRet<String>) -> Value {
        match ret {
            SetRet::Added | SetRet::Removed => Value::Nil,
            SetRet::Contains(is_in) => Value::Bool(*is_in),
            SetRet::Elements(elements) => Value::List(texts(elements)),
        }
    }

    fn state(elements: &BTreeSet<String>) -> Value {
        Value::List(texts(elements))
    }
}

fn written(op: &RegisterOp<String>) -> Value {
    match op {
        RegisterOp::Write(value) => text(value),
        RegisterOp::Read => Value::Nil,
    }
}

impl Spoken for Register<String> {
    fn argument(op: &RegisterOp<String>) -> Value {
        written(op)
    }

    fn returned(ret: &RegisterRet<String>) -> Value {
        match ret {
            RegisterRet::Written => Value::Nil,
            RegisterRet::Value(value) => Self::state(value),
        }
    }

    fn state(value: &Option<String>) -> Value {
        value.as_deref().map_or(Value::Nil, text)
    }
}

impl Spoken for MultiValue<String> {
    fn argument(op: &RegisterOp<String>) -> Value {
        written(op)
    }

    fn returned(ret: &MultiValueRet<String>) -> Value {
        match ret {
            MultiValueRet::Written => Value::Nil,
            MultiValueRet::Siblings(siblings) => Value::List(texts(siblings)),
        }
    }

    fn state(siblings: &Vec<String>) -> Value {
        Value::List(texts(siblings))
    }
}

impl Spoken for Sequence {
    fn argument(op: &SequenceOp) -> Value {
        match op {
            SequenceOp::InsertAt { position, text: inserted } => {
                Value::List(vec![Value::Int(*position as i128), text(inserted)])
            }
            SequenceOp::DeleteAt { position, len } => {
                Value::List(vec![Value::Int(*position as i128), Value::Int(*len as i128)])
            }
            SequenceOp::Read => Value::Nil,
        }
    }

    fn returned(ret: &SequenceRet) -> Value {
        match ret {
            SequenceRet::Text(read) => text(read),
            SequenceRet::Inserted | SequenceRet::Deleted | SequenceRet::OutOfRange { .. } => Value::Nil,
        }
    }

    fn state(read: &String) -> Value {
        text(read)
    }
}

impl Spoken for Cart<String> {
    fn argument(op: &CartOp<String>) -> Value {
        match op {
            CartOp::Add { item, quantity } => Value::List(vec![text(item), Value::Int(i128::from(*quantity))]),
            CartOp::Change { item, by } => Value::List(vec![text(item), Value::Int(i128::from(*by))]),
            CartOp::Remove { item } => text(item),
            CartOp::View => Value::Nil,
        }
    }

    fn returned(ret: &CartRet<String>) -> Value {
        match ret {
            CartRet::Items(items) => items_of(items.iter().map(|(item, quantity)| (item, *quantity))),
            CartRet::Added | CartRet::Changed | CartRet::Removed | CartRet::NotInCart => Value::Nil,
        }
    }

    fn state(items: &BTreeMap<String, u128>) -> Value {
        items_of(items.iter().map(|(item, quantity)| (item, *quantity)))
    }
}

fn items_of<'a>(items: impl Iterator<Item = (&'a String, u128)>) -> Value {
    let quantity = |quantity: u128| Value::Int(i128::try_from(quantity).unwrap_or(i128::MAX));
    Value::Map(items.map(|(item, units)| (text(item), quantity(units))).collect())
}
