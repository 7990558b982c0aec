//! The sections about text.

use std::path::Path;

use crdts::sequence::{FugueMaxOrder, FugueOrder, RgaOrder};

use super::{
    cola::Cola,
    diamond::Diamond,
    floors::Floor,
    ours::Ours,
    pathologies,
    work::{Encoded, Lane},
};
use crate::{
    contest::{Contest, Times},
    memory::Heap,
    table::{NOTHING, Table, grouped, ms},
    traces::Trace,
};

const SEQUENTIAL: [&str; 3] = ["automerge-paper", "rustcode", "sveltecomponent"];
const CONCURRENT: &str = "friendsforever";

/// The libraries that are measured.
fn lanes() -> Vec<Lane> {
    vec![
        Lane::of::<Ours<FugueMaxOrder>>(),
        Lane::of::<Ours<FugueOrder>>(),
        Lane::of::<Ours<RgaOrder>>(),
        Lane::of::<Cola<()>>(),
        Lane::of::<Cola<jumprope::JumpRope>>(),
        Lane::of::<Diamond>(),
        #[cfg(feature = "all-peers")]
        Lane::of::<super::yrs::Yrs>(),
        #[cfg(feature = "all-peers")]
        Lane::of::<super::loro::Loro>(),
        #[cfg(feature = "all-peers")]
        Lane::of::<super::automerge::Automerge>(),
        #[cfg(feature = "all-peers")]
        Lane::of::<super::rust_list::RustList>(),
    ]
}

/// The tables of the editing traces, or why there are none.
pub fn traces(directory: &Path) -> String {
    let mut text = String::new();
    for name in SEQUENTIAL {
        match Trace::load(directory, name) {
            Ok(trace) => text += &sequential(&trace),
            Err(error) => text += &absent(name, &error),
        }
    }
    match Trace::load(directory, CONCURRENT) {
        Ok(trace) => text += &concurrent(&trace),
        Err(error) => text += &absent(CONCURRENT, &error),
    }
    text
}

fn absent(name: &str, error: &str) -> String {
    eprintln!("{name} is not measured: {error}");
    format!("### {name}\n\nNot measured: the trace could not be read.\n\n")
}

fn title(trace: &Trace) -> String {
    let length = trace.end_content.as_ref().map_or(0, String::len);
    let (txns, patches) = (grouped(trace.txns.len()), grouped(trace.patches()));
    format!("### {}: {txns} transactions, {patches} patches, {} characters in the end\n\n", trace.name, grouped(length))
}

fn kib(heap: Option<Heap>) -> [String; 2] {
    match heap {
        Some(heap) => [grouped(heap.held_kib()), grouped(heap.peak_kib())],
        None => [NOTHING.into(), NOTHING.into()],
    }
}

fn bytes(bytes: Option<usize>) -> String {
    bytes.map_or_else(|| NOTHING.into(), grouped)
}

/// The times of remote application and of the codec, by lane.
struct Measured {
    remote: Vec<Option<Times>>,
    codec: Vec<([Option<Times>; 2], Option<Encoded>)>,
}

fn pairs(times: &[Option<Times>]) -> Vec<[Option<Times>; 2]> {
    times.as_chunks().0.to_vec()
}

type Enter = for<'a> fn(&mut Contest<'a>, usize, &'a Trace);

/// The times of all lanes for one thing that they do.
fn column(trace: &Trace, lanes: &[Lane], what: impl Fn(&Lane) -> Enter) -> Vec<Option<Times>> {
    let mut contest = Contest::new();
    for (index, lane) in lanes.iter().enumerate() {
        what(lane)(&mut contest, index, trace);
    }
    contest.run(lanes.len())
}

fn measure(trace: &Trace, lanes: &[Lane]) -> Measured {
    let remote = column(trace, lanes, |lane| lane.remote);
    let mut contest = Contest::new();
    let encode = |(index, lane): (usize, &Lane)| (lane.codec)(&mut contest, [2 * index, 2 * index + 1], trace);
    let encoded: Vec<_> = lanes.iter().enumerate().map(encode).collect();
    let codec = pairs(&contest.run(2 * lanes.len())).into_iter().zip(encoded).collect();
    Measured { remote, codec }
}

fn sequential(trace: &Trace) -> String {
    let (lanes, floors, txns) = (lanes(), Floor::all(), trace.txns.len());
    let mut contest = Contest::new();
    for (index, lane) in lanes.iter().enumerate() {
        (lane.local)(&mut contest, index, trace);
    }
    for (index, floor) in floors.iter().enumerate() {
        (floor.local)(&mut contest, lanes.len() + index, trace);
    }
    let local = contest.run(lanes.len() + floors.len());
    let (measured, batch) = (measure(trace, &lanes), column(trace, &lanes, |lane| lane.batch));
    let mut table = Table::new(&[
        "text",
        "local, ms",
        "remote, edit by edit, ms",
        "remote, one batch, ms",
        "held KiB",
        "peak KiB",
        "history encoded, bytes",
        "other encoding, bytes",
        "encode, ms",
        "decode, ms",
        "all updates, bytes",
    ]);
    for (index, lane) in lanes.iter().enumerate() {
        let (singly, batch) = (measured.remote[index], batch[index]);
        let ([encode, decode], encoded) = &measured.codec[index];
        let otherwise = encoded.as_ref().and_then(|encoded| encoded.otherwise);
        let [held, peak] = kib((lane.local_heap)(trace));
        table.row(&[
            lane.name.into(),
            ms(local[index], txns),
            ms(singly, txns),
            ms(batch, txns),
            held,
            peak,
            bytes(encoded.as_ref().map(|encoded| encoded.bytes)),
            otherwise.map_or_else(|| NOTHING.into(), |(name, bytes)| format!("{} ({name})", grouped(bytes))),
            ms(*encode, 1),
            ms(*decode, 1),
            bytes((lane.ending)(trace).update_bytes),
        ]);
    }
    for (index, floor) in floors.iter().enumerate() {
        let [held, peak] = kib(Some((floor.heap)(trace)));
        let local = ms(local[lanes.len() + index], txns);
        table.row(&[format!("floor: {}", floor.name), local, NOTHING.into(), NOTHING.into(), held, peak]);
    }
    format!("{}{}", title(trace), table.finish())
}

fn concurrent(trace: &Trace) -> String {
    let (lanes, txns) = (lanes(), trace.txns.len());
    let (measured, batch) = (measure(trace, &lanes), column(trace, &lanes, |lane| lane.batch));
    let mut table = Table::new(&[
        "text",
        "edit by edit, ms",
        "one batch, ms",
        "held KiB",
        "peak KiB",
        "history encoded, bytes",
        "encode, ms",
        "decode, ms",
        "all updates, bytes",
        "ends as recorded",
    ]);
    for (index, lane) in lanes.iter().enumerate() {
        let (singly, batch) = (measured.remote[index], batch[index]);
        let ([encode, decode], _) = measured.codec[index];
        let ending = (lane.ending)(trace);
        let [held, peak] = kib(ending.heap);
        let is_as_recorded = match ending.is_as_recorded {
            Some(true) => "yes",
            Some(false) => "no",
            None => NOTHING,
        };
        table.row(&[
            lane.name.into(),
            ms(singly, txns),
            ms(batch, txns),
            held,
            peak,
            bytes(ending.encoded_bytes),
            ms(encode, 1),
            ms(decode, 1),
            bytes(ending.update_bytes),
            is_as_recorded.into(),
        ]);
    }
    format!("{}{}", title(trace), table.finish())
}

/// The tables of the pathologies.
pub fn pathological() -> String {
    let mut text = String::new();
    for (story, make) in pathologies::all() {
        eprintln!("  {story}");
        text += &["### ", story, "\n\n", &pathology(&make())].concat();
    }
    text
}

fn pathology(trace: &Trace) -> String {
    let (lanes, txns) = (lanes(), trace.txns.len());
    let local = if trace.num_agents == 1 { column(trace, &lanes, |lane| lane.local) } else { vec![None; lanes.len()] };
    let measured = measure(trace, &lanes);
    let mut table = Table::new(&[
        "text",
        "local, ms",
        "remote, edit by edit, ms",
        "held KiB",
        "history encoded, bytes",
        "encode, ms",
        "decode, ms",
    ]);
    for (index, lane) in lanes.iter().enumerate() {
        let ([encode, decode], encoded) = &measured.codec[index];
        let heap = if trace.num_agents == 1 { (lane.local_heap)(trace) } else { (lane.ending)(trace).heap };
        let [held, _] = kib(heap);
        table.row(&[
            lane.name.into(),
            ms(local[index], txns),
            ms(measured.remote[index], txns),
            held,
            bytes(encoded.as_ref().map(|encoded| encoded.bytes)),
            ms(*encode, 1),
            ms(*decode, 1),
        ]);
    }
    table.finish()
}
