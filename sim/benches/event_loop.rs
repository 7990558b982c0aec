//! The event loop against a bare one: the same gossip, in events per second.
//!
//! `world` has network model, loss, a fault and the fingerprint; `bare` has nothing but the calendar and a match. How many
//! instructions an event takes is counted with `examples/event_loop.rs`, which machines and their load do not move.

mod loops;

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Nodes and seconds of virtual time.
const SIZES: [(u32, u64); 2] = [(1_000, 20), (100_000, 2)];
/// Nodes that add once.
const WRITERS: u32 = 5;

fn event_loop(criterion: &mut Criterion) {
    for (nodes, seconds) in SIZES {
        let mut group = criterion.benchmark_group(format!("event_loop/{nodes}"));
        group.sample_size(10).measurement_time(Duration::from_secs(10));
        let bare = loops::Bare::new(nodes, WRITERS);
        let mut counted = bare.clone();
        counted.run(seconds);
        group.throughput(Throughput::Elements(counted.events));
        group.bench_function("bare", |bencher| {
            bencher.iter_batched_ref(|| bare.clone(), |bare| bare.run(seconds), BatchSize::PerIteration);
        });
        drop((bare, counted));
        let world = loops::world(nodes, WRITERS, seconds);
        let mut counted = world.clone();
        counted.run();
        group.throughput(Throughput::Elements(counted.events()));
        group.bench_function("world", |bencher| {
            bencher.iter_batched_ref(|| world.clone(), sim::kernel::world::World::run, BatchSize::PerIteration);
        });
        group.finish();
    }
}

criterion_group!(benches, event_loop);
criterion_main!(benches);
