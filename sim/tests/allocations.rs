//! After boot, gossip of a counter allocates nothing: neither the loop nor queue, network, fingerprint or protocol.
//!
//! After the warm-up the population of events and messages has been at its peak and the queue has adapted to it; from then
//! on everything is reused. States of up to six writers are inline, so messages need no memory of their own either.

#[path = "../benches/loops/mod.rs"]
#[expect(dead_code, reason = "the bare loop is for comparisons")]
mod loops;

use sim::{
    kernel::observer::Unobserved,
    protocols::gossip::{GossipConfig, Mode, PayloadKind},
};

/// Events until everything has its size.
const WARM_UP_EVENTS: u64 = 200_000;
/// Events that are watched.
const EVENTS: u64 = 200_000;

/// Allocations during a window of events.
fn allocations(mode: Mode, payload: PayloadKind, nodes: u32, writers: u32) -> u64 {
    let config = GossipConfig { mode, payload, fanout: 2, ..GossipConfig::default() };
    let mut world = loops::world_of(config, nodes, writers, 1_000_000, Unobserved);
    while world.events() < WARM_UP_EVENTS {
        assert_eq!(world.step(), None);
    }
    let before = world.events();
    let counted = allocation_counter::measure(|| {
        while world.events() < before + EVENTS {
            assert_eq!(world.step(), None);
        }
    });
    counted.count_total
}

#[test]
fn inline_payloads_allocate_nothing() {
    for (mode, payload) in [
        (Mode::Push, PayloadKind::State),
        (Mode::Pull, PayloadKind::State),
        (Mode::PushPull, PayloadKind::State),
        (Mode::PushPull, PayloadKind::Digest),
    ] {
        for nodes in [5, 100, 2_000] {
            assert_eq!(allocations(mode, payload, nodes, 5), 0, "{mode:?} {payload:?}, {nodes} nodes");
        }
    }
}

#[test]
fn a_state_on_the_heap_costs_its_copies() {
    // Ids and counts of more than six writers are a vector each: two allocations for a message, and nothing else.
    let count = allocations(Mode::Push, PayloadKind::State, 100, 20);
    // Two messages follow from each timer, so two events in three are messages.
    assert!(count > EVENTS, "the counter counts");
    assert!(count <= 2 * EVENTS, "{count}");
}
