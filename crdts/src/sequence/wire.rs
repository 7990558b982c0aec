//! Serde forms: a text is the list of its operations, by dot.
//!
//! What is deliberately absent: compactness. [`crate::Encode`] has it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{op::Op, ordering::Ordering, text::Text};
use crate::causality::CausalContext;

impl<O: Ordering> Serialize for Text<O> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ops_since(&CausalContext::default()))
    }
}

impl<'de, O: Ordering> Deserialize<'de> for Text<O> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ops = Vec::<Op<'static>>::deserialize(deserializer)?;
        let mut text = Self::new();
        for op in &ops {
            text.receive(op).map_err(D::Error::custom)?;
        }
        Ok(text)
    }
}
