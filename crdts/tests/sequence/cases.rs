//! Known cases: where the orders differ, and where other implementations went wrong.

use crdts::{
    ReplicaId,
    sequence::{Delete, Dot, FugueMaxOrder, FugueOrder, Insert, Op, RgaOrder, Text, reference},
};
use proptest::prelude::*;

use crate::cluster::{Cluster, Order};

/// The texts under RGA, Fugue and FugueMax.
fn under_all(history: impl Fn(&mut dyn History)) -> [String; 3] {
    fn run<O: Order>(history: &dyn Fn(&mut dyn History)) -> String {
        let mut cluster = Cluster::<O>::new(4);
        history(&mut cluster);
        cluster.quiesce()
    }
    [run::<RgaOrder>(&history), run::<FugueOrder>(&history), run::<FugueMaxOrder>(&history)]
}

/// What a history does, whatever the order of its cluster.
trait History {
    fn insert(&mut self, at: usize, position: usize, text: &str);
    fn delete(&mut self, at: usize, position: usize, len: usize);
    fn sync(&mut self, into: usize, from: usize);
}

impl<O: Order> History for Cluster<O> {
    fn insert(&mut self, at: usize, position: usize, text: &str) {
        Cluster::insert(self, at, position, text);
    }

    fn delete(&mut self, at: usize, position: usize, len: usize) {
        Cluster::delete(self, at, position, len);
    }

    fn sync(&mut self, into: usize, from: usize) {
        Cluster::sync(self, into, from);
    }
}

// ---- words typed concurrently at one place ----

/// Replicas 1, 2, ... type their words at one place, letter by letter, each knowing `context` and nothing of the others.
fn typed(context: &str, position: usize, words: &[&str], backward: bool) -> [String; 3] {
    under_all(|history| {
        if !context.is_empty() {
            history.insert(3, 0, context);
        }
        for (at, word) in words.iter().enumerate() {
            history.sync(at, 3);
            let letters = word.char_indices().map(|(place, letter)| (place, letter.to_string()));
            if backward {
                letters.rev().for_each(|(_, letter)| history.insert(at, position, &letter));
            } else {
                letters.for_each(|(place, letter)| history.insert(at, position + place, &letter));
            }
        }
    })
}

#[test]
fn words_typed_forward_stay_together() {
    assert_eq!(typed("", 0, &["abc", "xyz"], false), ["xyzabc", "abcxyz", "abcxyz"]);
    assert_eq!(typed("", 0, &["abc", "klm", "xyz"], false), ["xyzklmabc", "abcklmxyz", "abcklmxyz"]);
    assert_eq!(typed("()", 1, &["abc", "xyz"], false), ["(xyzabc)", "(abcxyz)", "(abcxyz)"]);
    assert_eq!(typed("()", 2, &["abc", "xyz"], false), ["()xyzabc", "()abcxyz", "()abcxyz"]);
    assert_eq!(typed("()", 1, &["abc", "klm", "xyz"], false), ["(xyzklmabc)", "(abcklmxyz)", "(abcklmxyz)"]);
}

/// RGA, which knows no right origins, mixes the letters.
#[test]
fn words_typed_backward_stay_together_in_fugue() {
    assert_eq!(typed("", 0, &["abc", "xyz"], true), ["xaybzc", "abcxyz", "abcxyz"]);
    assert_eq!(typed("", 0, &["abc", "klm", "xyz"], true), ["xkaylbzmc", "abcklmxyz", "abcklmxyz"]);
    assert_eq!(typed("()", 1, &["abc", "xyz"], true), ["(xaybzc)", "(abcxyz)", "(abcxyz)"]);
    assert_eq!(typed("()", 0, &["abc", "xyz"], true), ["xaybzc()", "abcxyz()", "abcxyz()"]);
    assert_eq!(typed("()", 1, &["abc", "klm", "xyz"], true), ["(xkaylbzmc)", "(abcklmxyz)", "(abcklmxyz)"]);
}

/// The text between two characters may be long gone when the words are typed.
#[test]
fn words_typed_into_a_deleted_passage_stay_together() {
    let into_gap = |backward: bool| {
        under_all(|history| {
            history.insert(3, 0, "(old)");
            history.delete(3, 1, 3);
            for (at, word) in ["abc", "xyz"].into_iter().enumerate() {
                history.sync(at, 3);
                for (place, letter) in word.char_indices() {
                    let letter = if backward { &word[2 - place..3 - place] } else { &letter.to_string() };
                    history.insert(at, 1 + if backward { 0 } else { place }, letter);
                }
            }
        })
    };
    assert_eq!(into_gap(false), ["(xyzabc)", "(abcxyz)", "(abcxyz)"]);
    assert_eq!(into_gap(true), ["(xaybzc)", "(abcxyz)", "(abcxyz)"]);
}

/// Fugue lets replica ids decide between what was typed at the end of a passage and what was typed between this passage and
/// the next; FugueMax keeps the latter next to both (Weidner and Kleppmann 2025, arXiv 2305.00583).
#[test]
fn what_knows_both_sides_stays_between_them_in_fugue_max() {
    let texts = |knows_both: usize, knows_one: usize| {
        under_all(|history| {
            history.insert(0, 0, "L");
            history.sync(knows_one, 0);
            history.insert(1, 0, "R");
            history.sync(knows_both, 0);
            history.sync(knows_both, 1);
            let behind_left = 1 + usize::from(knows_both == knows_one);
            history.insert(knows_one, behind_left, "end");
            history.insert(knows_both, 1, "mid");
        })
    };
    assert_eq!(texts(2, 3)[1..], ["LmidendR", "LendmidR"]);
    assert_eq!(texts(3, 2)[1..], ["LendmidR", "LendmidR"]);
}

/// Edits of any kind by one replica between two characters.
fn passage() -> impl Strategy<Value = Vec<(bool, usize)>> {
    prop::collection::vec((prop::bool::weighted(0.8), 0..12_usize), 0..12)
}

proptest! {
    /// However a passage came about (forward, backward, from the middle, with deletions), it stays in one piece.
    #[test]
    fn passages_stay_together_in_fugue(passages in prop::collection::vec(passage(), 3)) {
        fn check<O: Order>(passages: &[Vec<(bool, usize)>]) {
            let mut cluster = Cluster::<O>::new(4);
            cluster.insert(3, 0, "()");
            let mut expected = String::from("(");
            for (at, edits) in passages.iter().enumerate() {
                cluster.sync(at, 3);
                for &(inserts, position) in edits {
                    let len = cluster.len(at) - 2;
                    let letter = char::from(b'a' + at as u8).to_string();
                    if inserts {
                        cluster.insert(at, 1 + position % (len + 1), &letter);
                    } else if len > 0 {
                        cluster.delete(at, 1 + position % len, 1);
                    }
                }
                let text = cluster.text(at);
                expected.push_str(&text[1..text.len() - 1]);
            }
            expected.push(')');
            assert_eq!(cluster.quiesce(), expected);
        }
        check::<FugueOrder>(&passages);
        check::<FugueMaxOrder>(&passages);
    }
}

// ---- the cases of josephg/reference-crdts (test.ts), written anew ----

fn dot(replica: u32, counter: u64) -> Dot {
    Dot::new(ReplicaId(replica), counter)
}

/// `(id, Lamport time, left origin, right origin, character)`, an id being replica and counter.
type Typed = ((u32, u64), u64, Option<(u32, u64)>, Option<(u32, u64)>, &'static str);

fn op(&((replica, counter), lamport, left, right, text): &Typed) -> Op<'static> {
    let [left, right] = [left, right].map(|origin| origin.map(|(replica, counter)| dot(replica, counter)));
    Op::Insert(Insert { id: dot(replica, counter), lamport, left, right, text: text.into() })
}

/// Visits every order of the items.
fn permute<T: Clone>(items: &mut Vec<T>, from: usize, visit: &mut impl FnMut(&[T])) {
    if from == items.len() {
        return visit(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        permute(items, from + 1, visit);
        items.swap(from, at);
    }
}

fn check_arrivals<O: Order>(name: &str, ops: &[Op<'static>], expected: &str) {
    assert_eq!(reference::text(O::ALGORITHM, ops), expected, "{name} {:?}", O::ALGORITHM);
    permute(&mut ops.to_vec(), 0, &mut |arrivals| {
        let mut engine = Text::<O>::new();
        for op in arrivals {
            assert!(engine.receive(op).is_ok(), "{name}");
        }
        assert_eq!(engine.text(), expected, "{name} {:?} {arrivals:?}", O::ALGORITHM);
    });
}

/// In every order of arrival. There, RGA puts the smaller id first and Yjs uses letters for ids; here RGA puts the larger first, as
/// in its paper, and A, B, C, D are replicas 1 to 4. `fuzzSequential` and `fuzzMultidoc` are the random histories of this file.
#[test]
fn cases_of_reference_crdts() {
    let check = |name: &str, typed: &[Typed], [rga, fugue]: [&str; 2]| {
        let ops: Vec<_> = typed.iter().map(op).collect();
        check_arrivals::<RgaOrder>(name, &ops, rga);
        check_arrivals::<FugueOrder>(name, &ops, fugue);
        check_arrivals::<FugueMaxOrder>(name, &ops, fugue);
    };
    let (a1, a2, b1, b2) = (Some((1, 1)), Some((1, 2)), Some((2, 1)), Some((2, 2)));
    let none = None;

    let smoke = [((1, 1), 1, none, none, "a"), ((1, 2), 2, a1, none, "b")];
    check("smoke, smokeMerge", &smoke, ["ab", "ab"]);

    let a_versus_b = [((1, 1), 1, none, none, "a"), ((2, 1), 1, none, none, "b")];
    check("concurrentAvsB", &a_versus_b, ["ba", "ab"]);

    let forward = [
        ((1, 1), 1, none, none, "a"),
        ((1, 2), 2, a1, none, "b"),
        ((1, 3), 3, a2, none, "c"),
        ((2, 1), 1, none, none, "x"),
        ((2, 2), 2, b1, none, "y"),
        ((2, 3), 3, b2, none, "z"),
    ];
    check("interleavingForward", &forward, ["xyzabc", "abcxyz"]);

    // The same words, every letter by another replica: ids must not matter within a word.
    let forward_2 = [
        ((1, 1), 1, none, none, "a"),
        ((24, 1), 2, a1, none, "b"),
        ((25, 1), 3, Some((24, 1)), none, "c"),
        ((2, 1), 1, none, none, "x"),
        ((3, 1), 2, b1, none, "y"),
        ((4, 1), 3, Some((3, 1)), none, "z"),
    ];
    check("interleavingForward2", &forward_2, ["xyzabc", "abcxyz"]);

    let backward = [
        ((1, 1), 1, none, none, "c"),
        ((1, 2), 2, none, a1, "b"),
        ((1, 3), 3, none, a2, "a"),
        ((2, 1), 1, none, none, "z"),
        ((2, 2), 2, none, b1, "y"),
        ((2, 3), 3, none, b2, "x"),
    ];
    check("interleavingBackward", &backward, ["xaybzc", "abcxyz"]);

    let backward_2 = [
        ((1, 1), 1, none, none, "b"),
        ((24, 1), 2, none, a1, "a"),
        ((2, 1), 1, none, none, "y"),
        ((2, 2), 2, none, b1, "x"),
    ];
    check("interleavingBackward2", &backward_2, ["axyb", "abxy"]);

    let tails = [
        ((1, 1), 1, none, none, "b"),
        ((1, 2), 2, none, a1, "a"),
        ((1, 3), 3, a1, none, "c"),
        ((2, 1), 1, none, none, "y"),
        ((2, 2), 2, none, b1, "x"),
        ((2, 3), 3, b1, none, "z"),
    ];
    check("withTails", &tails, ["xayzbc", "abcxyz"]);

    // One tail by a replica with a smaller id than all others.
    let tails_2 = [
        ((1, 1), 1, none, none, "b"),
        ((1, 2), 2, none, a1, "a"),
        ((1, 3), 3, a1, none, "c"),
        ((2, 1), 1, none, none, "y"),
        ((0, 1), 2, none, b1, "x"),
        ((2, 2), 3, b1, none, "z"),
    ];
    check("withTails2", &tails_2, ["axyzbc", "abcxyz"]);

    let local_versus_concurrent = [
        ((1, 1), 1, none, none, "a"),
        ((2, 1), 1, none, none, "b"),
        ((3, 1), 1, none, none, "c"),
        ((4, 1), 2, a1, Some((3, 1)), "d"),
    ];
    check("localVsConcurrent", &local_versus_concurrent, ["cbad", "adbc"]);
}

/// toeverything/y-octo PR 53: replicas diverged over an insertion whose origins enclose deleted characters, because others had
/// inserted between these. Replicas here count deleted characters among their origins.
#[test]
fn insertions_around_and_between_deleted_characters() {
    let texts = under_all(|history| {
        history.insert(0, 0, "abcd");
        history.sync(1, 0);
        history.sync(2, 0);
        history.delete(1, 1, 2);
        history.insert(1, 1, "x");
        history.insert(2, 2, "y");
        history.insert(2, 4, "z");
    });
    assert_eq!(texts, ["axyzd"; 3]);
}

/// The same from a replica that skips them. All agree on a place, in every order of arrival; in Fugue it is behind everything
/// that grew from `a`, since the right origin is not beside it.
#[test]
fn origins_that_skip_deleted_characters() {
    let ops = [
        op(&((1, 1), 1, None, None, "abcd")),
        Op::Delete(Delete { id: dot(2, 1), target: dot(1, 2), len: 2 }),
        op(&((2, 2), 5, Some((1, 1)), Some((1, 4)), "x")),
        op(&((3, 1), 5, Some((1, 2)), Some((1, 3)), "y")),
        op(&((3, 2), 6, Some((1, 3)), Some((1, 4)), "z")),
    ];
    check_arrivals::<RgaOrder>("skipped", &ops, "axyzd");
    check_arrivals::<FugueOrder>("skipped", &ops, "ayzdx");
    check_arrivals::<FugueMaxOrder>("skipped", &ops, "ayzdx");
}
