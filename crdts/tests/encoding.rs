//! Encodings and serde forms, as others see them.

use crdts::{Crdt, DecodeError, Encode, GCounter, Lattice, PnCounter, ReplicaId, objects::counter::CounterOp::Add};

fn pn_counter(ops: &[(u32, i64)]) -> PnCounter {
    let mut counter = PnCounter::bottom();
    for &(replica, amount) in ops {
        assert!(counter.update(ReplicaId(replica), &Add(amount)).is_ok());
    }
    counter
}

#[test]
fn encodings_are_pinned() {
    let check = |counter: &PnCounter, expected: &[u8]| {
        let mut bytes = Vec::new();
        counter.encode(&mut bytes);
        assert_eq!(bytes, expected);
        assert_eq!(PnCounter::decode(&bytes), Ok(counter.clone()));
    };
    check(&pn_counter(&[]), &[1, 0, 0]);
    check(&pn_counter(&[(1, 5), (2, 6), (9, 200), (9, -1)]), &[1, 3, 1, 5, 0, 6, 6, 200, 1, 1, 9, 1]);
    check(
        &pn_counter(&[(u32::MAX, i64::MIN)]),
        &[1, 0, 1, 255, 255, 255, 255, 15, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1],
    );
}

#[test]
fn weights_tell_payload_from_metadata() {
    let weight = pn_counter(&[(1, 5), (9, 200), (9, -1)]).weight();
    // Payload: 5 and 1 in one byte each, 200 in two. Metadata: version, two lengths, three ids.
    assert_eq!((weight.payload_bytes, weight.metadata_bytes, weight.tombstone_bytes), (4, 6, 0));
    assert_eq!(PnCounter::digest_bytes(&PnCounter::bottom()), 3);
}

#[test]
fn every_prefix_is_truncated() {
    let mut bytes = Vec::new();
    pn_counter(&[(1, 5), (300, 70_000), (9, -1)]).encode(&mut bytes);
    for end in 0..bytes.len() {
        assert_eq!(PnCounter::decode(&bytes[..end]), Err(DecodeError::Truncated), "{end}");
    }
}

#[test]
fn a_claimed_length_alone_takes_no_memory() {
    let mut bytes = vec![1];
    bytes.extend([0xff; 9]);
    bytes.push(1);
    assert_eq!(GCounter::decode(&bytes), Err(DecodeError::Truncated));
}

#[test]
fn json_forms_are_pinned() {
    let counter = pn_counter(&[(2, 6), (1, 5), (9, -1)]);
    let text = serde_json::to_string(&counter).expect("a counter is representable in JSON");
    assert_eq!(text, r#"{"increments":[[1,5],[2,6]],"decrements":[[9,1]]}"#);
    assert_eq!(serde_json::from_str::<PnCounter>(&text).ok(), Some(counter));
}

#[test]
fn json_that_is_no_state_is_refused() {
    let check = |text: &str, expected: &str| {
        let error = serde_json::from_str::<GCounter>(text).expect_err("this is no state").to_string();
        assert!(error.contains(expected), "{text}: {error}");
    };
    check("[[1,0]]", "the count of replica 1 is zero");
    check("[[1,5],[1,6]]", "replica 1 is not above the one before it");
    check("[[2,5],[1,6]]", "replica 1 is not above the one before it");
    check("[[1,-5]]", "invalid value");
    check("[[4294967296,5]]", "invalid value");
    check("[[1]]", "invalid length");
    check("{}", "pairs of a replica id and a count of at least 1");
}
