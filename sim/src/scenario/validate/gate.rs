//! `[gate]`.

use super::Check;
use crate::scenario::{
    diagnostic::Diagnostic,
    file::{GateTable, Written},
    plan::GateSpec,
    units::{Percentage, share},
};

/// The most seeds of a baseline, which is committed.
const SEEDS_MAX: u32 = 10_000;

pub(super) fn gate(check: &mut Check, table: &GateTable) -> Option<GateSpec> {
    let defaults = GateSpec::default();
    let min_effect_ppm = ppm(check, table.min_effect.as_ref(), defaults.min_effect_ppm);
    let level_ppm = ppm(check, table.level.as_ref(), defaults.level_ppm);
    let seeds = table.seeds.as_ref().map(|seeds| check.within(seeds, "the number of seeds", 1..=SEEDS_MAX));
    Some(GateSpec {
        min_effect_ppm: min_effect_ppm?,
        level_ppm: level_ppm?,
        seeds: seeds.unwrap_or(Some(defaults.seeds))?,
    })
}

fn ppm(check: &mut Check, written: Option<&Written<Percentage>>, default: u32) -> Option<u32> {
    let Some(written) = written else { return Some(default) };
    // Read for its errors: the share itself is what counts.
    check.read(written)?;
    let (share, of) = share(&written.text).ok()?;
    let ppm = u128::from(share) * 1_000_000 / u128::from(of);
    if ppm == 0 && share > 0 {
        let finding = Diagnostic::new("scenario::value", "this is too small").at(written.span.clone(), "here");
        check.push(finding.help("use at least 0.0001%"));
        return None;
    }
    Some(ppm as u32)
}
