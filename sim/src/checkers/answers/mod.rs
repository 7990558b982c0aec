//! Checkers that compare single answers: echoes, ids, and the final reads of all replicas.
//!
//! Each takes what there is to compare, together with words for a person, and nothing else of a history.
//!
//! Invariant: as for all checkers, nothing compared is vacuous.
//!
//! ```
//! use sim::checkers::{Verdict, answers::check_ids};
//! let ids = |ids: &[u32]| check_ids(ids.iter().map(|id| (format!("an answer with {id}"), *id)));
//! assert_eq!(ids(&[1, 2, 3]), Verdict::Pass);
//! assert!(matches!(ids(&[1, 2, 1]), Verdict::Fail { .. }));
//! assert!(matches!(ids(&[]), Verdict::Vacuous { .. }));
//! ```
//!
//! What is deliberately absent: time. No answer here is right at one instant and wrong at another.

use std::{collections::BTreeMap, fmt::Debug};

use super::{CheckerDoc, Verdict};

/// [`check_echoes`].
pub const ECHOES: CheckerDoc =
    CheckerDoc { name: "echoes", object: "echo", doc: "every answer repeats exactly what was said" };

/// [`check_ids`].
pub const DISTINCT_IDS: CheckerDoc =
    CheckerDoc { name: "distinct-ids", object: "unique-ids", doc: "no id is given out twice" };

/// [`check_final_agreement`].
pub const FINAL_AGREEMENT: CheckerDoc = CheckerDoc {
    name: "final-agreement",
    object: "g-set, broadcast",
    doc: "every replica answers the read after the quiet period, and all with the same elements",
};

/// No program did anything that is out of order. What there was is in the account of its run.
pub const ORDERLY: CheckerDoc = CheckerDoc {
    name: "orderly",
    object: "any of programs",
    doc: "no program ended, wrote what is no message, or answered what nobody had asked",
};

/// Compares answers with what was said: words for a person, what was said, what was heard.
pub fn check_echoes<V: PartialEq + Debug>(echoes: impl Iterator<Item = (String, V, V)>) -> Verdict {
    let mut compared = false;
    for (told, said, heard) in echoes {
        compared = true;
        if said != heard {
            return Verdict::Fail { witness: format!("[{told}]: {said:?} was said") };
        }
    }
    if compared { Verdict::Pass } else { Verdict::Vacuous { reason: "nothing was answered".to_owned() } }
}

/// Looks for ids that occur twice: words for a person, and the id.
pub fn check_ids<I: Ord>(ids: impl Iterator<Item = (String, I)>) -> Verdict {
    let mut seen: BTreeMap<I, String> = BTreeMap::new();
    for (told, id) in ids {
        if let Some(before) = seen.get(&id) {
            return Verdict::Fail { witness: format!("[{before}] and [{told}] got one id") };
        }
        seen.insert(id, told);
    }
    if seen.is_empty() { Verdict::Vacuous { reason: "no id was given out".to_owned() } } else { Verdict::Pass }
}

/// Compares the final answers of all replicas: the replica, and its answer if it gave one.
pub fn check_final_agreement<V: PartialEq + Debug>(answers: impl Iterator<Item = (String, Option<V>)>) -> Verdict {
    let mut first: Option<(String, V)> = None;
    for (replica, answer) in answers {
        let Some(answer) = answer else {
            return Verdict::Fail { witness: format!("{replica} did not answer the final read") };
        };
        match &first {
            None => first = Some((replica, answer)),
            Some((other, expected)) if *expected != answer => {
                return Verdict::Fail { witness: format!("{other} has {expected:?}, and {replica} has {answer:?}") };
            }
            Some(_) => {}
        }
    }
    if first.is_some() { Verdict::Pass } else { Verdict::Vacuous { reason: "there was no final read".to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_is_silent_or_differs_fails() {
        let finals = |answers: &[Option<u32>]| {
            check_final_agreement(answers.iter().enumerate().map(|(at, answer)| (format!("n{}", at + 1), *answer)))
        };
        assert_eq!(finals(&[Some(1), Some(1)]), Verdict::Pass);
        assert_eq!(finals(&[Some(1), None]).detail(), Some("n2 did not answer the final read"));
        assert_eq!(finals(&[Some(1), Some(2)]).detail(), Some("n1 has 1, and n2 has 2"));
        assert_eq!(finals(&[]).name(), "vacuous");
    }
}
