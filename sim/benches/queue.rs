//! The calendar against the standard library's heap: the hold model, which takes the next event and schedules another.
//!
//! Delays are drawn as in the event loop: two in three are 10 to 50 ms, one in three is 90 to 110 ms.

use std::{cmp::Reverse, collections::BinaryHeap, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sim::kernel::{
    draws::Stream,
    queue::Calendar,
    time::{MILLISECOND, Time},
};

/// Pending events.
const POPULATIONS: [u64; 3] = [1_000, 100_000, 1_000_000];
/// Steps of one iteration.
const HOLDS: u64 = 10_000;

/// What the world's queue carries: four words of 32 bits.
type Event = [u32; 4];

/// Delays in the order in which they are drawn.
struct Delays {
    stream: Stream,
    drawn: u64,
}

impl Delays {
    fn new() -> Self {
        Self { stream: Stream::new(1, "bench.queue"), drawn: 0 }
    }

    fn next_ns(&mut self) -> u64 {
        self.drawn += 1;
        if self.drawn.is_multiple_of(3) {
            90 * MILLISECOND + self.stream.below(0, self.drawn, 20 * MILLISECOND)
        } else {
            10 * MILLISECOND + self.stream.below(0, self.drawn, 40 * MILLISECOND)
        }
    }
}

fn calendar(population: u64) -> impl FnMut() {
    let (mut queue, mut delays) = (Calendar::<Event>::default(), Delays::new());
    for _ in 0..population {
        queue.push(Time(delays.next_ns()), [0; 4]);
    }
    move || {
        let next = queue.pop().expect("the population is constant");
        queue.push(next.time + delays.next_ns(), black_box(next.event));
    }
}

fn heap(population: u64) -> impl FnMut() {
    let (mut queue, mut delays) = (BinaryHeap::<Reverse<(u64, u64, Event)>>::new(), Delays::new());
    for sequence in 0..population {
        queue.push(Reverse((delays.next_ns(), sequence, [0; 4])));
    }
    let mut sequence = population;
    move || {
        let Reverse((time_ns, _, event)) = queue.pop().expect("the population is constant");
        queue.push(Reverse((time_ns + delays.next_ns(), sequence, black_box(event))));
        sequence += 1;
    }
}

fn hold(criterion: &mut Criterion) {
    for population in POPULATIONS {
        let mut group = criterion.benchmark_group(format!("hold/{population}"));
        group.sample_size(10).throughput(Throughput::Elements(HOLDS));
        let mut measure = |name: &str, mut step: Box<dyn FnMut()>| {
            // Several times around, so that the widths of buckets have settled.
            (0..5 * population).for_each(|_| step());
            group.bench_function(name, |bencher| bencher.iter(|| (0..HOLDS).for_each(|_| step())));
        };
        measure("calendar", Box::new(calendar(population)));
        measure("heap", Box::new(heap(population)));
        group.finish();
    }
}

criterion_group!(benches, hold);
criterion_main!(benches);
