//! `tradeoff_analysis {use_case, partition_rate, conflict_rate}`: what the measured advice says to these conditions.
//!
//! The answer comes from an [`Adviser`] that runs the candidates, so the first answer to a question can take seconds,
//! in which this node does nothing else. Rates are shares from 0 to 1. They are rounded to multiples of 5%, and an
//! answer is kept: a question that comes to the same is answered at once.
//!
//! A use case is a text. Words in it say what is replicated, and whether a stale answer would do harm:
//!
//! | words | meaning |
//! |---|---|
//! | cart, basket, order | a cart |
//! | text, document, edit, note, sequence | a text |
//! | set, tag, member, list, follower | a set |
//! | profile, setting, config, register, status, session | a register |
//! | anything else | a counter |
//! | bank, balance, payment, inventory, stock, seat, ticket, booking, lock, unique, ledger, auction, money | reads must never be stale |
//!
//! ```
//! use sim::maelstrom::serve::tradeoff::{Kind, Tradeoff};
//!
//! let asked = Tradeoff::new("the balance of a bank account", 118_000, 990_000);
//! assert_eq!(asked, Tradeoff { kind: Kind::Counter, never_stale: true, partition_ppm: 100_000, conflict_ppm: 950_000 });
//! ```
//!
//! Invariant: no rule decides here. What is deliberately absent: a stored table of answers, which would be old one day.

use std::collections::BTreeMap;

use serde_json::json;

use super::fields::{self, Refused};
use crate::maelstrom::wire::{Body, ErrorCode};

/// Rates are multiples of this.
const STEP_PPM: u32 = 50_000;
/// The greatest rate of conflicts that can be run.
const CONFLICT_PPM_MAX: u32 = 950_000;

/// What is replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A counter.
    Counter,
    /// A set.
    Set,
    /// A register.
    Register,
    /// A text.
    Text,
    /// A cart.
    Cart,
}

/// A question, on the grid. See the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tradeoff {
    /// What is replicated.
    pub kind: Kind,
    /// Must no read be stale?
    pub never_stale: bool,
    /// The share of the time in which the network is cut.
    pub partition_ppm: u32,
    /// The share of updates that conflict.
    pub conflict_ppm: u32,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    /// `CRDT`, `OCC` or `Locking`.
    pub recommendation: &'static str,
    /// Why, with what was measured.
    pub reasoning: String,
}

/// Runs the candidates and says which one to take, or why it cannot.
pub type Advise = Box<dyn FnMut(&Tradeoff) -> Result<Advised, String>>;

/// Who answers, and what was answered before.
pub struct Adviser {
    advise: Advise,
    answered: BTreeMap<Tradeoff, Advised>,
}

impl std::fmt::Debug for Adviser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adviser").field("answered", &self.answered).finish_non_exhaustive()
    }
}

impl Adviser {
    /// An adviser that computes answers like this.
    pub fn new(advise: Advise) -> Self {
        Self { advise, answered: BTreeMap::new() }
    }
}

/// An adviser that has no answers, for nodes that are not asked.
pub fn no_advice() -> Adviser {
    Adviser::new(Box::new(|_| Err("there is no adviser here".to_owned())))
}

fn rounded(ppm: u32) -> u32 {
    (ppm + STEP_PPM / 2) / STEP_PPM * STEP_PPM
}

impl Tradeoff {
    /// The question behind a use case and two rates.
    pub fn new(use_case: &str, partition_ppm: u32, conflict_ppm: u32) -> Self {
        let use_case = use_case.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| use_case.contains(word));
        let kind = if says(&["cart", "basket", "order"]) {
            Kind::Cart
        } else if says(&["text", "document", "edit", "note", "sequence"]) {
            Kind::Text
        } else if use_case.split(|c: char| !c.is_alphanumeric()).any(|word| word == "set" || word == "sets")
            || says(&["tag", "member", "list", "follower"])
        {
            Kind::Set
        } else if says(&["profile", "setting", "config", "register", "status", "session"]) {
            Kind::Register
        } else {
            Kind::Counter
        };
        let never_stale = says(&[
            "bank",
            "balance",
            "payment",
            "inventory",
            "stock",
            "seat",
            "ticket",
            "booking",
            "lock",
            "unique",
            "ledger",
            "auction",
            "money",
        ]);
        Self {
            kind,
            never_stale,
            partition_ppm: rounded(partition_ppm),
            conflict_ppm: rounded(conflict_ppm).min(CONFLICT_PPM_MAX),
        }
    }
}

/// The reply to a request.
pub fn answer(body: &Body, adviser: &mut Adviser) -> Result<Body, Refused> {
    let use_case = fields::text(body, "use_case")?;
    let asked = Tradeoff::new(use_case, fields::share(body, "partition_rate")?, fields::share(body, "conflict_rate")?);
    if !adviser.answered.contains_key(&asked) {
        let advised = (adviser.advise)(&asked).map_err(|reason| Refused::new(ErrorCode::NotSupported, reason))?;
        adviser.answered.insert(asked, advised);
    }
    let Advised { recommendation, reasoning } = &adviser.answered[&asked];
    let fields = json!({ "recommendation": recommendation, "reasoning": reasoning });
    Ok(Body::new("tradeoff_analysis_ok", fields))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[test]
    fn use_cases_say_what_is_replicated() {
        let kind = |text: &str| Tradeoff::new(text, 0, 0).kind;
        assert_eq!(kind("Shopping cart"), Kind::Cart);
        assert_eq!(kind("collaborative editing"), Kind::Text);
        assert_eq!(kind("a set of ids"), Kind::Set);
        assert_eq!(kind("user profile"), Kind::Register);
        assert_eq!(kind("page views"), Kind::Counter);
        assert_eq!(kind("reset of a counter"), Kind::Counter);
        assert!(Tradeoff::new("inventory", 0, 0).never_stale);
    }

    #[test]
    fn questions_that_come_to_the_same_are_computed_once() {
        let asked = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&asked);
        let mut adviser = Adviser::new(Box::new(move |question| {
            seen.borrow_mut().push(*question);
            Ok(Advised { recommendation: "CRDT", reasoning: "measured".to_owned() })
        }));
        for (partition, conflict) in [(0.1, 0.2), (0.11, 0.21), (0.3, 0.2)] {
            let fields = json!({ "use_case": "likes", "partition_rate": partition, "conflict_rate": conflict });
            let said = answer(&Body::new("tradeoff_analysis", fields), &mut adviser).expect("an answer");
            assert_eq!(said.0["recommendation"], "CRDT");
        }
        assert_eq!(asked.borrow().len(), 2);
    }

    #[test]
    fn fields_are_checked() {
        let text = |fields: serde_json::Value| {
            answer(&Body::new("tradeoff_analysis", fields), &mut no_advice()).expect_err("refused").text
        };
        assert!(text(json!({})).contains("`use_case`"));
        assert!(text(json!({ "use_case": "x", "partition_rate": 2, "conflict_rate": 0 })).contains("`partition_rate`"));
        assert!(
            text(json!({ "use_case": "x", "partition_rate": 0, "conflict_rate": "1" })).contains("`conflict_rate`")
        );
    }
}
