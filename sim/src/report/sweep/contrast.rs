//! Systems compared with the first one of their scenario, seed by seed.
//!
//! Under one seed all systems meet the same network, faults and clients, so that differences are paired, and few seeds show much. A run
//! that did not converge is slower than all that did.
//!
//! Invariant: exchanging two systems changes the sign of the difference and no p-value.
//!
//! What is deliberately absent: a verdict. Which system is to be preferred is not a matter of one number.

use super::{
    collected::{Collected, Runs},
    model::Contrast,
};
use crate::statistics::{
    Difference, Pair, Shift,
    failures::Design,
    multiple::holm,
    paired::{changes, hodges_lehmann, wilcoxon},
    survival::log_rank,
};

/// All systems but the first, each compared with the first.
pub(super) fn contrasts(all: &Collected) -> Vec<Contrast> {
    let Some((reference, systems)) = all.systems.split_first() else { return Vec::new() };
    let mut contrasts = Vec::new();
    let mut tests = Vec::new();
    for system in systems {
        let pairs = reference.pairs(system);
        if pairs.is_empty() {
            continue;
        }
        tests.push((system.name.as_str(), wilcoxon(&pairs).p));
        tests.push((system.name.as_str(), log_rank(&reference.convergence, &system.convergence).p));
        contrasts.push(contrast(reference, system, &pairs));
    }
    // All p-values of a report are corrected together.
    let adjusted = holm(&tests);
    for (contrast, adjusted) in contrasts.iter_mut().zip(adjusted.chunks(2)) {
        let ppm = |p: f64| (p * 1_000_000.0).ceil() as u32;
        contrast.p_signed_rank_ppm = ppm(adjusted[0].adjusted);
        contrast.p_log_rank_ppm = ppm(adjusted[1].adjusted);
    }
    contrasts
}

fn contrast(reference: &Runs, system: &Runs, pairs: &[Pair]) -> Contrast {
    let changes = changes(pairs);
    let shift = hodges_lehmann(pairs).and_then(Shift::finite);
    Contrast {
        system: system.name.clone(),
        reference: reference.name.clone(),
        seeds: changes.total,
        sooner: changes.faster,
        later: changes.slower,
        difference_ns: shift.map(|shift| shift.round() as i64),
        p_signed_rank_ppm: 1_000_000,
        p_log_rank_ppm: 1_000_000,
        seeds_needed: seeds_needed(pairs),
    }
}

/// How many seeds find a difference like this one with 80 %, by those under which both converged.
fn seeds_needed(pairs: &[Pair]) -> Option<u64> {
    let difference = |pair: &Pair| match (pair.base.ended(), pair.head.ended(), pair.difference()) {
        (Some(_), Some(_), Difference::Finite(difference)) => Some(difference as f64),
        _ => None,
    };
    let differences: Vec<f64> = pairs.iter().filter_map(difference).collect();
    if differences.len() < 2 {
        return None;
    }
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|difference| (difference - mean) * (difference - mean)).sum();
    Design::new(libm::sqrt(squares / (count - 1.0)), mean).seeds_for_signed_rank()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Convergence::{At, Censored};

    fn pairs(times: &[(u64, u64)]) -> Vec<Pair> {
        times.iter().map(|(base, head)| Pair { base: At(*base), head: At(*head) }).collect()
    }

    #[test]
    fn noise_costs_seeds_and_effects_save_them() {
        let spread = |by: u64| -> Vec<(u64, u64)> { (0..40).map(|n| (1_000, 1_100 + n % 2 * by)).collect() };
        let (quiet, noisy) = (seeds_needed(&pairs(&spread(20))), seeds_needed(&pairs(&spread(900))));
        assert!(quiet < noisy && quiet >= Some(2), "{quiet:?} {noisy:?}");
        assert_eq!(seeds_needed(&pairs(&[(5, 5), (7, 7), (9, 9)])), None, "there is nothing to find");
        let never = [Pair { base: At(3), head: Censored(9) }; 5];
        assert_eq!(seeds_needed(&never), None);
    }

    #[test]
    fn exchanged_systems_differ_as_much() {
        let pairs = pairs(&[(10, 30), (20, 25), (30, 31), (40, 80), (50, 49)]);
        let back: Vec<Pair> = pairs.iter().map(|pair| pair.exchanged()).collect();
        let (one, other) = (Runs::default(), Runs::default());
        let (there, back) = (contrast(&one, &other, &pairs), contrast(&one, &other, &back));
        assert_eq!((there.sooner, there.later), (back.later, back.sooner));
        assert_eq!(there.difference_ns, back.difference_ns.map(|shift| -shift));
        assert_eq!(there.seeds_needed, back.seeds_needed);
    }
}
