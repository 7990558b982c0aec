//! The models: what histories can be judged against.
//!
//! Each file is one object: its operations, its answers, and what is known about it. Values are of any ordered type, so
//! that histories of foreign programs keep theirs.
//!
//! What is deliberately absent: objects whose operations have more than one outcome, such as queues that may drop.

mod append;
mod counter;
mod key_value;
mod multi_register;
mod mutex;
mod object;
mod register;
mod set;

use std::{fmt::Debug, hash::Hash};

pub use append::{AppendFact, AppendOp, AppendRet, AppendStore};
pub use counter::{AtMost, CounterModel};
pub use key_value::{KeyValue, KeyValueFact, KeyValueOp, KeyValueRet};
pub use multi_register::{MultiFact, MultiOp, MultiRegister, MultiRet};
pub use mutex::{Mutex, MutexOp, MutexRet};
pub use object::ObjectModel;
pub use register::{Register, RegisterFact, RegisterOp, RegisterRet};
pub use set::{SetFact, SetModel, SetOp, SetRet};

/// What can be a key or a value.
pub trait Value: Clone + Ord + Hash + Debug + Send + Sync {}

impl<T: Clone + Ord + Hash + Debug + Send + Sync> Value for T {}
