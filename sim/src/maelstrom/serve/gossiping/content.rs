//! States and digests as text: the canonical encoding with its checksum, in hexadecimal.
//!
//! ```json
//! {"type": "gossip", "kind": "delta", "content": "0101010130dc9d58"}
//! ```
//!
//! Invariant: any text gives a state or a refusal with error 12. What is deliberately absent: capital letters. A state
//! has one text.

use std::fmt::Write;

use crdts::{checksum, encoding::Encode};
use serde_json::Value;

use crate::maelstrom::serve::fields::Refused;

/// The text of a state.
pub(in crate::maelstrom::serve) fn hex<T: Encode>(content: &T) -> Value {
    let bytes = checksum::seal(content);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Value::String(text)
}

/// The state of a text, which stands in the field `name`.
pub(in crate::maelstrom::serve) fn from_hex<T: Encode>(name: &str, value: &Value) -> Result<T, Refused> {
    let wrong = || Refused::field(name, "a sealed encoding in hexadecimal", value);
    let text = value.as_str().ok_or_else(wrong)?.as_bytes();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.chunks(2).map(|pair| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or_else(wrong)?;
    checksum::open(&bytes).map_err(|error| Refused::malformed(format!("`{name}` is no state: {error}")))
}

#[cfg(test)]
mod tests {
    use crdts::{Crdt, OrSet, ReplicaId, objects::set::SetOp};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_has_one_text() {
        let mut set = OrSet::<String>::default();
        set.update(ReplicaId(1), &SetOp::Add("tea".to_owned())).expect("an addition");
        let text = hex(&set);
        assert_eq!(from_hex::<OrSet<String>>("content", &text), Ok(set));
        let capital = json!(text.as_str().map(str::to_uppercase));
        for wrong in [json!("0"), json!("zz"), json!(1), json!(""), capital, json!("00000000")] {
            assert!(from_hex::<OrSet<String>>("content", &wrong).expect_err("no state").text.contains("`content`"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_state_or_an_error(text in "([0-9a-f]{2}){0,24}|.{0,12}") {
            let _ = from_hex::<OrSet<String>>("content", &json!(text));
            let _ = from_hex::<crdts::sequence::Rga>("content", &json!(text));
        }
    }
}
