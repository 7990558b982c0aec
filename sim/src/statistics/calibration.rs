//! Do the tests fire as often as they claim, and do they find what is there? Simulated samples with fixed seeds.
//!
//! Versions that do not differ are drawn as two independent halves of one distribution, since identical samples say
//! nothing about chance. Levels are 1 %, and a rate below 2 % of a thousand repetitions is what is wanted.

use super::{
    Convergence, Pair, Shift,
    bootstrap::{self, Draws, Resampling},
    mcnemar::mcnemar,
    multiple::holm,
    paired::{sign_test, wilcoxon},
    survival::log_rank,
};

const REPETITIONS: u64 = 1_000;
const LEVEL: f64 = 0.01;

/// A variable that is close to normal: the sum of twelve uniform ones, minus 6.
fn normal(draws: &mut Draws) -> f64 {
    (0..12).map(|_| draws.below(1 << 32) as f64 / 4_294_967_296.0).sum::<f64>() - 6.0
}

/// Pairs around a second that share a deviation of 10 %, have 2 % each of their own, and differ by `shift`. Times
/// beyond `horizon` are censored.
fn sample(draws: &mut Draws, seeds: usize, shift: f64, horizon: f64) -> Vec<Pair> {
    let run = |time: f64| {
        if time > horizon { Convergence::Censored(horizon as u64) } else { Convergence::At(time as u64) }
    };
    let pair = |_| {
        let common = 1e9 * (1.0 + 0.1 * normal(draws));
        let (base, head) = (common + 2e7 * normal(draws), common * (1.0 + shift) + 2e7 * normal(draws));
        Pair { base: run(base), head: run(head) }
    };
    (0..seeds).map(pair).collect()
}

/// In which share of the repetitions a test fires.
fn rate(purpose: &str, repetitions: u64, mut fires: impl FnMut(&mut Draws) -> bool) -> f64 {
    let fired = (0..repetitions).filter(|&seed| fires(&mut Draws::new(seed, purpose))).count();
    fired as f64 / repetitions as f64
}

fn bootstrap_fires(pairs: &[Pair], confidence: f64) -> bool {
    let resampling = Resampling { resamples: 1_000, seed: 3, confidence };
    let mean = bootstrap::paired(pairs, &[], resampling).expect("there are seeds").mean;
    mean.low > Shift::Finite(0.0) || mean.high < Shift::Finite(0.0)
}

#[test]
fn paired_tests_rarely_fire_without_a_difference() {
    for (seeds, horizon) in [(30, 1e12), (100, 1e12), (100, 1.08e9)] {
        let signed = rate("aa.ranks", REPETITIONS, |draws| wilcoxon(&sample(draws, seeds, 0.0, horizon)).p <= LEVEL);
        let signs = rate("aa.signs", REPETITIONS, |draws| sign_test(&sample(draws, seeds, 0.0, horizon)).p <= LEVEL);
        assert!(signed < 0.02 && signs < 0.02, "{seeds} {horizon}: {signed} {signs}");
        // Not silent either.
        assert!(signed > 0.001 && signs > 0.0, "{seeds} {horizon}: {signed} {signs}");
    }
}

#[test]
fn the_bootstrap_rarely_fires_without_a_difference() {
    let rate = rate("aa.bootstrap", REPETITIONS, |draws| bootstrap_fires(&sample(draws, 100, 0.0, 1e12), 1.0 - LEVEL));
    assert!(rate > 0.001 && rate < 0.02, "{rate}");
}

#[test]
fn tests_of_convergence_rarely_fire_without_a_difference() {
    let broken = rate("aa.mcnemar", REPETITIONS, |draws| mcnemar(&sample(draws, 300, 0.0, 1e9)).p <= LEVEL);
    let curves = rate("aa.log_rank", REPETITIONS, |draws| {
        // Halves of other seeds, since the test is of independent groups.
        let (first, second) = (sample(draws, 80, 0.0, 1.08e9), sample(draws, 80, 0.0, 1.08e9));
        let base = |pairs: &[Pair]| pairs.iter().map(|pair| pair.base).collect::<Vec<_>>();
        log_rank(&base(&first), &base(&second)).p <= LEVEL
    });
    assert!(broken < 0.02 && curves < 0.02 && curves > 0.001, "{broken} {curves}");
}

#[test]
fn twenty_scenarios_together_rarely_fire_without_a_difference() {
    let rate = rate("aa.holm", 500, |draws| {
        let tests: Vec<_> = (0..20).map(|_| ("", wilcoxon(&sample(draws, 60, 0.0, 1e12)).p)).collect();
        holm(&tests).iter().any(|test| test.adjusted <= LEVEL)
    });
    assert!(rate < 0.02, "{rate}");
}

#[test]
fn a_shift_of_two_percent_is_found_in_a_hundred_seeds() {
    let signed = rate("shift.ranks", 300, |draws| wilcoxon(&sample(draws, 100, 0.02, 1e12)).p <= LEVEL);
    let signs = rate("shift.signs", 300, |draws| sign_test(&sample(draws, 100, 0.02, 1e12)).p <= LEVEL);
    let mean = rate("shift.mean", 300, |draws| bootstrap_fires(&sample(draws, 100, 0.02, 1e12), 1.0 - LEVEL));
    assert!(signed > 0.95 && signs > 0.95 && mean > 0.95, "{signed} {signs} {mean}");
    // Without the pairs it is lost in what the seeds have in common.
    let unpaired = rate("shift.log_rank", 300, |draws| {
        let (first, second) = (sample(draws, 100, 0.0, 1e12), sample(draws, 100, 0.02, 1e12));
        let base: Vec<_> = first.iter().map(|pair| pair.base).collect();
        log_rank(&base, &second.iter().map(|pair| pair.head).collect::<Vec<_>>()).p <= LEVEL
    });
    assert!(unpaired < 0.5, "{unpaired}");
}
