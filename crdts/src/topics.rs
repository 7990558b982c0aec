//! Short texts on the types, the objects and the notions of this crate, for whoever shows them to people.
//!
//! Every text stands in a Markdown file beside the code that it describes, and has sections of one shape: a heading with
//! the name, a sentence that defines it, paragraphs on what it promises, costs and how it goes wrong, and the source.
//!
//! ```
//! use crdts::{Crdt, PnCounter, topics::TYPES};
//!
//! let heading = format!("# {}\n", PnCounter::NAME);
//! assert!(TYPES.iter().any(|text| text.starts_with(&heading)));
//! ```
//!
//! Invariant: every type has a section under its [`Crdt::NAME`](crate::Crdt::NAME).
//!
//! What is deliberately absent: parsing and showing.

/// The replicated types, by their names.
pub const TYPES: &[&str] = &[
    include_str!("g_counter.md"),
    include_str!("pn_counter.md"),
    include_str!("bounded_counter.md"),
    include_str!("resettable_counter.md"),
    include_str!("g_set.md"),
    include_str!("two_phase_set.md"),
    include_str!("or_set.md"),
    include_str!("or_set_tombstones.md"),
    include_str!("rw_set.md"),
    include_str!("lww_register.md"),
    include_str!("mv_register.md"),
    include_str!("max_register.md"),
    include_str!("min_register.md"),
    include_str!("ew_flag.md"),
    include_str!("dw_flag.md"),
    include_str!("lww_map.md"),
    include_str!("or_map.md"),
    include_str!("cart.md"),
    include_str!("sequence/rga.md"),
    include_str!("sequence/fugue.md"),
    include_str!("sequence/fugue_max.md"),
];

/// The objects that clients see.
pub const OBJECTS: &[&str] = &[
    include_str!("objects/counter.md"),
    include_str!("objects/set.md"),
    include_str!("objects/register.md"),
    include_str!("objects/sequence.md"),
    include_str!("objects/cart.md"),
];

/// The notions that the types rest on.
pub const CONCEPTS: &[&str] =
    &[include_str!("lattice.md"), include_str!("causality/concepts.md"), include_str!("sequence/interleaving.md")];
