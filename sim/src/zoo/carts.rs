//! Shopping carts that charge for the wrong things.
//!
//! The right one ([`crdts::Cart`]) keeps under the dot of each update by how much it moved the quantity of its item; a removal
//! takes the amounts that it saw. Each bug gives up one part of this: that amounts add up, that a removal takes only what it
//! saw, or that items are independent of each other.
//!
//! Invariant: with a flaw of another family the cart is right.
//!
//! ```
//! use crdts::{Crdt, Lattice, ReplicaId, objects::cart::CartOp};
//! use sim::zoo::{Flaw, carts::FlawedCart, specimen::Bend};
//!
//! let [mut phone, mut laptop] = [0, 1].map(|_| FlawedCart::bottom());
//! for (cart, id) in [(&mut phone, 0), (&mut laptop, 1)] {
//!     cart.bend(Flaw::QuantityByMax, 2);
//!     cart.update(ReplicaId(id), &CartOp::Add { item: "tea".to_owned(), quantity: 2 })?;
//! }
//! phone.join(&laptop);
//! assert_eq!(phone.value()["tea"], 2, "two and two");
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: economy. Amounts that were taken out stay as names.

use std::collections::{BTreeMap, BTreeSet};

use crdts::{
    causality::Dot,
    lattice::UpdateError,
    object::Object,
    objects::cart::{self, CartOp, CartRet},
};

use super::{
    catalogue::{Bug, Flaw},
    specimen::{Change, Kind, Site, Specimen},
};

/// A cart with a mistake. See the [module documentation](self).
pub type FlawedCart = Specimen<Items>;

/// By how much an update moved a quantity, and at which Lamport time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Amount {
    time: u64,
    by: i64,
}

/// What is known of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Item {
    amounts: BTreeMap<Dot, Amount>,
    taken: BTreeSet<Dot>,
    /// For [`Flaw::RemoveAsZero`]: amounts up to this time are gone.
    zero_at: u64,
    /// For [`Flaw::QuantityByMax`]: how often the item was taken out, and its quantity since.
    removals: u64,
    quantity: i64,
}

impl Item {
    fn total(&self, flaw: Option<Flaw>) -> i128 {
        if flaw == Some(Flaw::QuantityByMax) {
            return i128::from(self.quantity);
        }
        self.amounts.values().map(|amount| i128::from(amount.by)).sum()
    }

    /// Takes out what is there.
    fn clear(&mut self, time: u64, flaw: Option<Flaw>) {
        match flaw {
            Some(Flaw::QuantityByMax) => (self.removals, self.quantity) = (self.removals + 1, 0),
            Some(Flaw::RemoveAsZero) => {
                self.amounts.clear();
                self.zero_at = time;
            }
            _ => self.taken.extend(std::mem::take(&mut self.amounts).into_keys()),
        }
    }

    /// Adds an amount under a dot.
    fn put(&mut self, dot: Dot, amount: Amount, flaw: Option<Flaw>) -> Result<(), UpdateError> {
        if flaw == Some(Flaw::QuantityByMax) {
            self.quantity = self.quantity.checked_add(amount.by).ok_or(UpdateError::Overflow)?;
        } else {
            self.amounts.insert(dot, amount);
        }
        Ok(())
    }

    fn merge(&mut self, other: &Self) {
        self.taken.extend(&other.taken);
        self.zero_at = self.zero_at.max(other.zero_at);
        self.amounts.extend(&other.amounts);
        let (taken, zero_at) = (&self.taken, self.zero_at);
        self.amounts.retain(|dot, amount| amount.time > zero_at && !taken.contains(dot));
        let (ours, theirs) = ((self.removals, self.quantity), (other.removals, other.quantity));
        (self.removals, self.quantity) = ours.max(theirs);
    }
}

/// Items with what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    items: BTreeMap<String, Item>,
    /// For [`Flaw::CartAsRegister`]: the Lamport time and the writer of the last update.
    stamp: (u64, u32),
}

/// What a row says of an item: an amount, one that was taken, a time, a quantity; or, of the cart, its stamp.
type Row = (String, (u8, (Option<Dot>, (u64, i64))));

const AMOUNT: u8 = 0;
const TAKEN: u8 = 1;
const ZERO_AT: u8 = 2;
const QUANTITY: u8 = 3;
const STAMP: u8 = 4;

impl Items {
    /// A time after all that are known.
    fn next_time(&self) -> u64 {
        let times =
            self.items.values().flat_map(|item| item.amounts.values().map(|amount| amount.time).chain([item.zero_at]));
        times.max().unwrap_or(0).max(self.stamp.0).saturating_add(1)
    }

    /// The item of an update, by how much it moves the quantity that is there, and whether it first takes that out.
    fn plan(op: &CartOp<String>, total: i128) -> Result<(&str, i64, bool), UpdateError> {
        Ok(match op {
            CartOp::Add { item, quantity } => {
                let by = i64::try_from(*quantity).map_err(|_| UpdateError::Overflow)?;
                (item, by, by > 0 && total <= 0)
            }
            CartOp::Change { item, .. } if total <= 0 => (item, 0, false),
            CartOp::Change { item, by } if total + i128::from(*by) > 0 => (item, *by, false),
            CartOp::Change { item, .. } | CartOp::Remove { item } => (item, 0, true),
            CartOp::View => ("", 0, false),
        })
    }
}

fn item_of(op: &CartOp<String>) -> &str {
    match op {
        CartOp::Add { item, .. } | CartOp::Change { item, .. } | CartOp::Remove { item } => item,
        CartOp::View => "",
    }
}

impl Kind for Items {
    type Object = cart::Cart<String>;
    type Row = Row;

    const NAME: &'static str = "flawed-cart";
    const SPECIFICATION: Option<crdts::causality::Specify<crdts::objects::cart::Cart<String>>> =
        <crdts::cart::Cart<String> as crdts::Crdt>::SPECIFICATION;

    fn update(&mut self, op: &CartOp<String>, site: &Site<'_>) -> Result<Change<Self>, UpdateError> {
        let mut value = self.value(site.flaw);
        let ret = cart::Cart::step(&mut value, op);
        if matches!(ret, CartRet::Items(_) | CartRet::NotInCart) {
            return Ok(Change::none(ret));
        }
        let total = self.items.get(item_of(op)).map_or(0, |item| item.total(site.flaw));
        let (name, by, clears) = Self::plan(op, total)?;
        if by == 0 && !clears {
            return Ok(Change::none(ret));
        }
        let time = self.next_time();
        let mut item = self.items.get(name).cloned().unwrap_or_default();
        if clears {
            item.clear(time, site.flaw);
        }
        if by != 0 {
            // An addition that clears first comes after what it clears.
            item.put(site.dot, Amount { time: time.saturating_add(u64::from(clears)), by }, site.flaw)?;
        }
        self.items.insert(name.to_owned(), item);
        if site.flaw == Some(Flaw::CartAsRegister) {
            self.stamp = (time, site.dot.replica.0);
        }
        Ok(Change::one(ret))
    }

    fn merge(&mut self, other: &Self, flaw: Option<Flaw>) {
        if flaw == Some(Flaw::CartAsRegister) {
            if other.stamp > self.stamp {
                self.clone_from(other);
            }
            return;
        }
        for (name, theirs) in &other.items {
            self.items.entry(name.clone()).or_default().merge(theirs);
        }
    }

    fn value(&self, flaw: Option<Flaw>) -> BTreeMap<String, u128> {
        let totals = self.items.iter().map(|(name, item)| (name, u128::try_from(item.total(flaw)).unwrap_or(0)));
        totals.filter(|&(_, total)| total > 0).map(|(name, total)| (name.clone(), total)).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (name, item) in &self.items {
            let mut row = |kind, dot, time, by| rows.push((name.clone(), (kind, (dot, (time, by)))));
            item.amounts.iter().for_each(|(dot, amount)| row(AMOUNT, Some(*dot), amount.time, amount.by));
            item.taken.iter().for_each(|dot| row(TAKEN, Some(*dot), 0, 0));
            row(ZERO_AT, None, item.zero_at, 0);
            row(QUANTITY, None, item.removals, item.quantity);
        }
        if self.stamp != (0, 0) {
            rows.push((String::new(), (STAMP, (None, (self.stamp.0, i64::from(self.stamp.1))))));
        }
        rows
    }

    fn from_rows(rows: Vec<Row>) -> Self {
        let mut items = Self::default();
        for (name, (kind, (dot, (time, by)))) in rows {
            if kind == STAMP {
                items.stamp = (time, by as u32);
                continue;
            }
            let item = items.items.entry(name).or_default();
            match (kind, dot) {
                (AMOUNT, Some(dot)) => drop(item.amounts.insert(dot, Amount { time, by })),
                (TAKEN, Some(dot)) => drop(item.taken.insert(dot)),
                (ZERO_AT, None) => item.zero_at = time,
                _ => (item.removals, item.quantity) = (time, by),
            }
        }
        items
    }
}

const TWIN: &str = "gossip cart";

/// The bugs of carts.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "cart-quantity-by-max",
        title: "two devices add two each, and the cart holds two",
        flaw: Flaw::QuantityByMax,
        object: "cart",
        twin: TWIN,
        cause: "The quantity of an item is one number, merged by maximum. Concurrent additions start from the same number, and \
                the maximum contains one of them.",
        fix: "Keep what each update added under its own name, and add up only to show the cart.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "cart-remove-as-zero",
        title: "a removal sets the quantity to zero over an addition that it did not see",
        flaw: Flaw::RemoveAsZero,
        object: "cart",
        twin: TWIN,
        cause: "A removal is a quantity of zero with a time, and it covers every addition that is no later, seen or not. What \
                another device adds at the same time is gone.",
        fix: "Let a removal take out the amounts that it saw, by name.",
        caught_by: "specified-value",
        arena: "calm",
    },
    Bug {
        name: "cart-as-register",
        title: "the cart of the last writer replaces all others",
        flaw: Flaw::CartAsRegister,
        object: "cart",
        twin: TWIN,
        cause: "The whole cart is one value, and the later one wins. Of two devices that put different items into it at the \
                same time, one has its item replaced by the other's cart.",
        fix: "Merge item by item: updates of different items never conflict.",
        caught_by: "specified-value",
        arena: "calm",
    },
];

#[cfg(test)]
mod tests {
    use crdts::Cart;
    use proptest::prelude::*;

    use super::{
        super::twins::{Twins, check_flawless, moves},
        *,
    };

    type Pair = Twins<FlawedCart, Cart<String>>;

    fn add(item: &str, quantity: u64) -> CartOp<String> {
        CartOp::Add { item: item.to_owned(), quantity }
    }

    fn remove(item: &str) -> CartOp<String> {
        CartOp::Remove { item: item.to_owned() }
    }

    fn cart<const N: usize>(items: [(&str, u128); N]) -> BTreeMap<String, u128> {
        items.map(|(item, quantity)| (item.to_owned(), quantity)).into()
    }

    #[test]
    fn the_larger_of_two_quantities_is_not_their_sum() {
        let mut pair = Pair::new(2, Some(Flaw::QuantityByMax));
        pair.update(0, &add("tea", 5));
        pair.join(0, 1);
        pair.update(1, &remove("tea"));
        pair.join(1, 0);
        pair.assert_equal(0);
        pair.update(0, &add("tea", 2));
        pair.update(1, &add("tea", 2));
        pair.join(1, 0);
        pair.assert_values(0, cart([("tea", 2)]), cart([("tea", 4)]));
    }

    #[test]
    fn a_quantity_of_zero_covers_what_it_did_not_see() {
        let mut pair = Pair::new(2, Some(Flaw::RemoveAsZero));
        pair.update(0, &add("tea", 5));
        pair.join(0, 1);
        pair.update(0, &remove("tea"));
        pair.update(1, &add("tea", 2));
        pair.join(1, 0);
        pair.assert_values(0, cart([]), cart([("tea", 2)]));
        pair.update(0, &add("tea", 1));
        pair.assert_values(0, cart([("tea", 1)]), cart([("tea", 3)]));
    }

    #[test]
    fn one_cart_replaces_another() {
        let mut pair = Pair::new(2, Some(Flaw::CartAsRegister));
        pair.update(0, &add("tea", 1));
        pair.update(1, &add("milk", 1));
        pair.join(1, 0);
        pair.assert_values(0, cart([("milk", 1)]), cart([("tea", 1), ("milk", 1)]));
    }

    proptest! {
        #[test]
        fn without_a_mistake_of_its_own_it_is_right(moves in moves(prop_oneof![
            3 => (prop::sample::select(vec!["a", "b"]), 0..4_u64).prop_map(|(item, quantity)| add(item, quantity)),
            2 => (prop::sample::select(vec!["a", "b"]), -3..3_i64)
                .prop_map(|(item, by)| CartOp::Change { item: item.to_owned(), by }),
            1 => prop::sample::select(vec!["a", "b"]).prop_map(remove),
            1 => Just(CartOp::View),
        ])) {
            check_flawless::<FlawedCart, Cart<String>>(&moves);
        }
    }
}
