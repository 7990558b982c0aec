//! Decoders are total: any bytes give a value that encodes to the same bytes, or a typed error, in memory proportional to
//! their number; and what a decoder lets through brings nothing else down.
//!
//! The first byte chooses the type, so that one binary and one corpus serve all. From `crdts/`:
//!
//! ```text
//! cargo fuzz run decoders --sanitizer none
//! ```

#![no_main]

use crdts::{
    BoundedCounter, Cart, Crdt, DwFlag, Encode, EwFlag, GCounter, GSet, LwwMap, LwwRegister, MaxRegister, MinRegister,
    MvRegister, OrMap, OrSet, OrSetTombstones, PnCounter, ResettableCounter, RwSet, TwoPhaseSet,
    causality::{CausalContext, CausalDigest, VersionVector},
    checksum::crc32,
    replication::TaggedOp,
    sequence::{Fugue, FugueMax, Rga},
};
use libfuzzer_sys::fuzz_target;

/// A state takes at most that many times the memory of its encoding: the nodes of nested maps, each with one entry, are the
/// most wasteful.
const BYTES_PER_BYTE_MAX: u64 = 1024;
/// What even an empty state may take.
const BYTES_MIN: u64 = 4096;

/// Decodes, and encodes again.
fn values<T: Encode>(bytes: &[u8]) -> Option<T> {
    let mut decoded = None;
    let used = allocation_counter::measure(|| decoded = T::decode(bytes).ok());
    assert!(used.bytes_max <= BYTES_MIN + BYTES_PER_BYTE_MAX * bytes.len() as u64, "{used:?} for {} bytes", bytes.len());
    let mut again = Vec::new();
    decoded.iter().for_each(|value: &T| value.encode(&mut again));
    assert!(decoded.is_none() || again == bytes, "{bytes:?} were read as what is written {again:?}");
    decoded
}

fn value<T: Encode>(bytes: &[u8]) {
    drop(values::<T>(bytes));
}

/// Decodes a state, and does with it what is done with the states of peers.
fn state<C: Crdt + Encode>(bytes: &[u8]) {
    let Some(state) = values::<C>(bytes) else { return };
    assert_eq!(state.weight().total_bytes(), bytes.len() as u64, "{state:?}");
    let mut joined = C::bottom();
    assert_eq!(joined.try_join(&state), Ok(!state.is_bottom()));
    assert_eq!(joined, state);
    assert!(state.delta_since(&state.digest()).is_bottom(), "{state:?}");
    assert_eq!(joined.value(), state.value());
    state.progress(|replica, updates| assert!(updates > 0, "{replica} is reported without updates"));
}

/// Decodes a text. Its encoding ends with a checksum, which no search guesses.
fn text<C: Crdt + Encode>(bytes: &[u8]) {
    let mut sealed = bytes.to_vec();
    sealed.extend_from_slice(&crc32(bytes).to_le_bytes());
    state::<C>(&sealed);
}

/// Every decoder. New ones go to the end: saved inputs name them by position.
const DECODERS: &[fn(&[u8])] = &[
    state::<GCounter>,
    state::<PnCounter>,
    state::<ResettableCounter>,
    state::<MvRegister<String>>,
    state::<EwFlag>,
    state::<DwFlag>,
    state::<OrSet<u64>>,
    state::<OrSet<(String, Option<i8>)>>,
    state::<OrSetTombstones<char>>,
    state::<RwSet<u16>>,
    state::<OrMap<u8, MvRegister<bool>>>,
    state::<OrMap<String, OrMap<u8, OrSet<u8>>>>,
    state::<OrMap<u32, ResettableCounter>>,
    state::<Cart<String>>,
    value::<VersionVector>,
    value::<CausalDigest>,
    value::<TaggedOp<PnCounter>>,
    value::<TaggedOp<OrSet<u64>>>,
    state::<BoundedCounter>,
    state::<GSet<String>>,
    state::<TwoPhaseSet<i64>>,
    state::<LwwRegister<Option<u8>>>,
    state::<LwwMap<u8, String>>,
    state::<MaxRegister<i32>>,
    state::<MinRegister<char>>,
    value::<CausalContext>,
    text::<Rga>,
    text::<Fugue>,
    text::<FugueMax>,
];

fuzz_target!(|bytes: &[u8]| {
    if let Some((choice, bytes)) = bytes.split_first() {
        DECODERS[usize::from(*choice) % DECODERS.len()](bytes);
    }
});
