//! Laws of joins on states that occurred, and the unit test that shows a broken one.
//!
//! ```
//! use crdts::{Crdt, GCounter, Lattice, ReplicaId, objects::counter::CounterOp};
//! use sim::protocols::gossip::unit_test;
//!
//! let mut state = GCounter::bottom();
//! state.update(ReplicaId(1), &CounterOp::Add(3))?;
//! let test = unit_test([&state, &state, &GCounter::bottom()]);
//! assert!(test.contains("let a = GCounter::decode(&[1, 1, 1, 3]).expect(\"a state of the run\");"), "{test}");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: shrinking. The states are as they occurred.

use std::fmt::Write;

use crdts::{
    encoding::Encode,
    lattice::Crdt,
    laws::states::{check_honest_join, check_joins},
};

/// Do the laws of joins hold for these states? If not, says which one does not, with a unit test.
pub(super) fn check<C: Crdt + Encode>(states: [&C; 3]) -> Result<(), String> {
    let [a, b, c] = states;
    check_joins(a, b, c)
        .and_then(|()| check_honest_join(a, b))
        .map_err(|violation| format!("{violation}\n\n{}", unit_test(states)))
}

/// A unit test of the laws of joins for these states.
pub fn unit_test<C: Encode>(states: [&C; 3]) -> String {
    let name = short_name(std::any::type_name::<C>());
    let mut text = "use crdts::{*, encoding::Encode, laws::states::{check_honest_join, check_joins}};\n\n\
                    #[test]\n\
                    fn joins_of_states_that_occurred() {\n"
        .to_owned();
    for (label, state) in ["a", "b", "c"].iter().zip(states) {
        let mut bytes = Vec::new();
        state.encode(&mut bytes);
        let _ = writeln!(text, "    let {label} = {name}::decode(&{bytes:?}).expect(\"a state of the run\");");
    }
    text.push_str("    check_joins(&a, &b, &c).unwrap();\n    check_honest_join(&a, &b).unwrap();\n}\n");
    text
}

/// A type without the paths of its modules, as it is written where its names are imported; with `::` before `<`.
fn short_name(path: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    let mut depth = 0;
    for character in path.chars() {
        match character {
            ':' => word.clear(),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            other => {
                short.push_str(&std::mem::take(&mut word));
                if other == '<' && depth == 0 {
                    short.push_str("::");
                }
                depth += i32::from(other == '<') - i32::from(other == '>');
                short.push(other);
            }
        }
    }
    short + &word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_they_are_written() {
        assert_eq!(short_name("crdts::pn_counter::PnCounter"), "PnCounter");
        assert_eq!(short_name("crdts::a::OrSet<alloc::string::String>"), "OrSet::<String>");
        assert_eq!(short_name("a::Map<a::K, b::V<u64>>"), "Map::<K, V<u64>>");
    }
}
