//! What protocols need to know of an object to send it: sizes, and words for the fingerprint.
//!
//! A protocol that copies states or broadcasts operations is generic in its object; how many bytes these take is the
//! object's business. Sizes are those of a plain encoding: 8 bytes for a number, 4 for a length, and the bytes of a text.
//!
//! ```
//! use crdts::objects::{counter::{Counter, CounterOp}, set::{Set, SetOp}};
//! use sim::protocols::wire::Wire;
//!
//! assert_eq!(Counter::op_bytes(&CounterOp::Add(3)), 8);
//! assert_eq!(Set::<String>::op_bytes(&SetOp::Add("milk".to_owned())), 1 + 4 + 4);
//! ```
//!
//! What is deliberately absent: an encoding. Messages of simulated protocols are values.

use std::hash::Hash;

use crdts::{
    object::Object,
    objects::{
        cart::{Cart, CartOp},
        counter::Counter,
        mv_register::MultiValue,
        register::{Register, RegisterOp},
        sequence::{Sequence, SequenceOp},
        set::{Set, SetOp},
    },
};

use crate::kernel::fold::{Fold, digest_of};

/// An object that protocols can send.
pub trait Wire: Object {
    /// The size of an operation, in bytes.
    fn op_bytes(op: &Self::Op) -> u64;

    /// The size of a state, in bytes.
    fn state_bytes(state: &Self::State) -> u64;

    /// Feeds an operation to a fingerprint.
    #[inline]
    fn fold_op(op: &Self::Op, fold: &mut Fold) {
        fold_hash(op, fold);
    }

    /// Feeds a state to a fingerprint.
    #[inline]
    fn fold_state(state: &Self::State, fold: &mut Fold) {
        fold_hash(state, fold);
    }
}

fn fold_hash(content: &impl Hash, fold: &mut Fold) {
    fold.word(digest_of(content));
}

/// A text with its length.
fn text_bytes(text: &str) -> u64 {
    4 + text.len() as u64
}

impl Wire for Counter {
    fn op_bytes(_: &Self::Op) -> u64 {
        8
    }

    fn state_bytes(_: &i128) -> u64 {
        16
    }

    #[inline]
    fn fold_op(op: &Self::Op, fold: &mut Fold) {
        match op {
            crdts::objects::counter::CounterOp::Add(amount) => fold.word(*amount as u64),
            crdts::objects::counter::CounterOp::Read => {}
        }
    }

    #[inline]
    fn fold_state(total: &i128, fold: &mut Fold) {
        fold.words(*total as u64, (total >> 64) as u64);
    }
}

impl Wire for Set<String> {
    fn op_bytes(op: &Self::Op) -> u64 {
        match op {
            SetOp::Add(element) | SetOp::Remove(element) | SetOp::Contains(element) => 1 + text_bytes(element),
            SetOp::Read => 1,
        }
    }

    fn state_bytes(elements: &Self::State) -> u64 {
        4 + elements.iter().map(|element| text_bytes(element)).sum::<u64>()
    }
}

fn write_bytes(op: &RegisterOp<String>) -> u64 {
    match op {
        RegisterOp::Write(value) => 1 + text_bytes(value),
        RegisterOp::Read => 1,
    }
}

impl Wire for Register<String> {
    fn op_bytes(op: &Self::Op) -> u64 {
        write_bytes(op)
    }

    fn state_bytes(value: &Self::State) -> u64 {
        1 + value.as_deref().map_or(0, text_bytes)
    }
}

impl Wire for MultiValue<String> {
    fn op_bytes(op: &Self::Op) -> u64 {
        write_bytes(op)
    }

    fn state_bytes(siblings: &Self::State) -> u64 {
        4 + siblings.iter().map(|value| text_bytes(value)).sum::<u64>()
    }
}

impl Wire for Sequence {
    fn op_bytes(op: &Self::Op) -> u64 {
        match op {
            SequenceOp::InsertAt { text, .. } => 1 + 8 + text_bytes(text),
            SequenceOp::DeleteAt { .. } => 1 + 8 + 8,
            SequenceOp::Read => 1,
        }
    }

    fn state_bytes(text: &String) -> u64 {
        text_bytes(text)
    }
}

impl Wire for Cart<String> {
    fn op_bytes(op: &Self::Op) -> u64 {
        match op {
            CartOp::Add { item, .. } | CartOp::Change { item, .. } => 1 + text_bytes(item) + 8,
            CartOp::Remove { item } => 1 + text_bytes(item),
            CartOp::View => 1,
        }
    }

    fn state_bytes(items: &Self::State) -> u64 {
        4 + items.keys().map(|item| text_bytes(item) + 16).sum::<u64>()
    }
}
