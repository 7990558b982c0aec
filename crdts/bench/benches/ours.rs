//! Our hot operations under Criterion.

use crdts_bench::hot::{self, Visitor};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

struct Bench<'a>(&'a mut Criterion);

impl Visitor for Bench<'_> {
    fn visit<S, R>(&mut self, name: &str, units: usize, prepare: impl Fn() -> S, work: impl Fn(&mut S) -> R) {
        let (group, name) = name.split_once('/').expect("names begin with their group");
        let mut group = self.0.benchmark_group(group);
        group.throughput(Throughput::Elements(units as u64));
        group.bench_function(name, |bencher| bencher.iter_batched_ref(&prepare, &work, BatchSize::SmallInput));
        group.finish();
    }
}

fn ours(criterion: &mut Criterion) {
    hot::all(&mut Bench(criterion));
}

criterion_group!(benches, ours);
criterion_main!(benches);
