//! Runs one of the two loops of `benches/loops` once: for counting instructions, and for looking at a profile.
//!
//! ```text
//! event_loop world|bare NODES SECONDS
//! valgrind --tool=callgrind target/release/examples/event_loop world 1000 5
//! ```

#[path = "../benches/loops/mod.rs"]
mod loops;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<u32>().ok());
    let (Some(which), Some(nodes), Some(seconds)) = (arguments.get(1), number(2), number(3)) else {
        eprintln!("usage: event_loop world|bare NODES SECONDS");
        std::process::exit(2);
    };
    let events = if which == "bare" {
        let mut bare = loops::Bare::new(nodes, 5);
        bare.run(u64::from(seconds));
        bare.events
    } else {
        let mut world = loops::world(nodes, 5, u64::from(seconds));
        world.run();
        println!("fingerprint {}", world.fingerprint());
        world.events()
    };
    println!("{events} events");
}
