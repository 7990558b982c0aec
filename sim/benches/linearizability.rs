//! The judge of linearizability against Wing and Gong's search with a memory and nothing else.

mod recorded;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use recorded::{Load, Whole, naive, registers, spoilt_registers, spoilt_strings, strings};
use sim::checkers::linearizability::{
    Call, Judgement, Limits, check,
    models::{AppendOp, AppendStore, Register},
};

/// Steps after which the naive search gives up.
const NAIVE_STEPS: u64 = 200_000;

/// The calls on each key.
fn by_key(calls: &recorded::Strings, keys: u64) -> Vec<recorded::Strings> {
    let of = |call: &Call<AppendOp<u64>, _>| match call.op {
        AppendOp::Get { key } | AppendOp::Put { key, .. } | AppendOp::Append { key, .. } => key,
    };
    (0..keys).map(|key| calls.iter().filter(|call| of(call) == key).cloned().collect()).collect()
}

fn key_value(criterion: &mut Criterion) {
    let load = Load { clients: 50, calls: 2_000, given_up_percent: 0, pause_max: 10 };
    let mut group = criterion.benchmark_group("strings/50 clients, 2000 calls, 10 keys");
    group.sample_size(10);
    for (name, calls) in [("good", strings(0, load, 10)), ("bad", spoilt_strings(0, load, 10))] {
        let limits = Limits::default();
        group.bench_function(format!("judge, {name}"), |bencher| {
            bencher.iter(|| check(&AppendStore::new(), black_box(&calls), &limits));
        });
        let parts = by_key(&calls, 10);
        let answers = parts.iter().map(|part| naive::is_linearizable(&AppendStore::new(), part, NAIVE_STEPS));
        println!("naive, {name}: {} keys of 10 without an answer", answers.filter(Option::is_none).count());
        group.bench_function(format!("naive, {name}"), |bencher| {
            bencher.iter(|| {
                parts
                    .iter()
                    .filter_map(|part| naive::is_linearizable(&AppendStore::new(), black_box(part), NAIVE_STEPS))
                    .count()
            });
        });
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let load = Load { clients: 10, calls: 300, given_up_percent: 0, pause_max: 10 };
    let mut group = criterion.benchmark_group("strings, not in parts/10 clients, 300 calls");
    group.sample_size(10);
    let calls = strings(0, load, 10);
    group.bench_function("judge", |bencher| {
        bencher.iter(|| check(&Whole(AppendStore::new()), black_box(&calls), &Limits::default()));
    });
    group.bench_function("naive", |bencher| {
        bencher.iter(|| naive::is_linearizable(&AppendStore::new(), black_box(&calls), NAIVE_STEPS));
    });
    group.finish();
}

fn hundred_registers(criterion: &mut Criterion) {
    let load = Load { clients: 5, calls: 80, given_up_percent: 30, pause_max: 100 };
    let histories: Vec<_> = (0..100)
        .map(|seed| if seed % 2 == 0 { registers(seed, load, 5) } else { spoilt_registers(seed, load, 5) })
        .collect();
    let mut group = criterion.benchmark_group("100 registers/80 calls, 30% of unknown fate");
    group.sample_size(10);
    group.bench_function("judge", |bencher| {
        let judge = |calls: &recorded::Registers| check(&Register::default(), calls, &Limits::default());
        bencher.iter_batched(
            || &histories,
            |histories| histories.iter().map(judge).filter(Judgement::is_linearizable).count(),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("naive", |bencher| {
        bencher.iter(|| {
            let answer = |calls: &recorded::Registers| naive::is_linearizable(&Register::default(), calls, NAIVE_STEPS);
            histories.iter().filter(|calls| answer(calls).is_some()).count()
        });
    });
    group.finish();
}

criterion_group!(benches, key_value, whole, hundred_registers);
criterion_main!(benches);
