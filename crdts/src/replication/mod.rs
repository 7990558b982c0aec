//! One definition, three flavours: how replicas of any [`Crdt`](crate::Crdt) tell each other what happened.
//!
//! | flavour | what is sent | what it asks of the network | here |
//! |---|---|---|---|
//! | state-based | the state | that something arrives now and then | [`Lattice::join`](crate::Lattice::join) |
//! | delta-based | the join of what a neighbour has not acknowledged | the same, and acknowledgements | [`DeltaBuffer`] |
//! | op-based | each update once, with what it follows | that everything arrives, in any order and any number of times | [`OpReplica`] |
//!
//! All three join the same states, since a delta is a state and an op is a delta with a name. So for one history they end in
//! the same state, and they can be mixed: a replica that fell behind too far for ops takes a state. [`crate::laws`] plays
//! every small history in all three.
//!
//! ```
//! use crdts::{Crdt, Lattice, PnCounter, ReplicaId, objects::counter::CounterOp, replication::OpReplica};
//!
//! let mut tokyo = OpReplica::<PnCounter>::new(ReplicaId(1));
//! let mut paris = OpReplica::<PnCounter>::new(ReplicaId(2));
//! let first = tokyo.update(&CounterOp::Add(5))?.delta.ok_or("an effect")?;
//! let second = tokyo.update(&CounterOp::Add(-2))?.delta.ok_or("an effect")?;
//! assert_eq!(paris.receive(second)?.missing, [first.dots()].into_iter().collect()); // kept until its past is there
//! assert_eq!(paris.receive(first)?.delivered.len(), 2);
//!
//! let mut by_state = PnCounter::bottom();
//! by_state.join(tokyo.state());
//! assert_eq!(paris.state(), &by_state);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is deliberately absent: networks, retries and timers. A replica says what to send and what is missing; when, and to
//! whom, is the caller's.

pub mod causal_buffer;
pub mod op;

pub use causal_buffer::{CausalBuffer, DeliveryError, Receipt};
pub use op::{OpReplica, Received, TaggedOp};
