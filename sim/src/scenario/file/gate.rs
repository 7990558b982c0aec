//! `[gate]`: when `sim gate` stops a change.

use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{At, Written};
use crate::scenario::units::Percentage;

/// When a change is a regression. It is no part of what the scenario is: a baseline stays one when this changes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateTable {
    /// Changes of a mean that are smaller do not matter; 1% unless given.
    pub min_effect: Option<Written<Percentage>>,
    /// The probability of an alarm where nothing got worse; 1% unless given.
    pub level: Option<Written<Percentage>>,
    /// How many seeds a baseline has, from 0 on; 100 unless given.
    #[schemars(range(min = 1))]
    pub seeds: Option<At<i64>>,
}
