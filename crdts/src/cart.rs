//! The shopping cart: items with quantities, where what was removed stays away and what was added concurrently does not.
//!
//! **State.** A map from items to amounts ([`DotMap`] of [`DotFun`]): under the dot of each update since the item last came into
//! the cart, by how much it moved the quantity. The *total* of an item is the sum of its amounts. The item is in the cart if
//! its total is positive, and the total is its quantity.
//!
//! **Updates.** They look at the total that their replica sees.
//!
//! | update | sees an item in the cart | sees none |
//! |---|---|---|
//! | add `n` | puts `n` | removes the amounts that it sees, if any, and puts `n` |
//! | change by `n`, to 1 or more | puts `n` | nothing happens |
//! | change by `n`, to 0 or less | removes the amounts that it sees | nothing happens |
//! | remove | removes the amounts that it sees | the same |
//!
//! **Why it converges.** The join is that of the stores ([`crate::causality::causal`]): an amount is left if no state has removed
//! it. The total is a function of what is left.
//!
//! **Quantities never go negative, and removed ones do not come back.** A change is limited by the quantity that it sees; but
//! two changes that do not see each other can together take more than there is, and a change can outlive the additions that it
//! took from, if these are removed concurrently. Then the total is negative, and the item is not in the cart. The next
//! addition that sees this removes the shortfall: whoever adds three to a cart without the item has three in it. A removal takes
//! the amounts that it saw, and no other dot carries any part of them. An addition that it did not see stays, less the shortfall
//! that it did not see either.
//!
//! **Cost.** An entry of 24 bytes for each update of an item since it last came into the cart.
//!
//! Two replicas in conflict:
//!
//! ```
//! use std::collections::BTreeMap;
//! use crdts::{Cart, Crdt, Lattice, ReplicaId, objects::cart::CartOp};
//!
//! let (mut phone, mut laptop) = (Cart::<String>::bottom(), Cart::bottom());
//! let tea = || "tea".to_owned();
//! phone.update(ReplicaId(1), &CartOp::Add { item: tea(), quantity: 5 })?;
//! laptop.join(&phone);
//!
//! phone.update(ReplicaId(1), &CartOp::Remove { item: tea() })?;
//! laptop.update(ReplicaId(2), &CartOp::Add { item: tea(), quantity: 2 })?; // concurrently
//! phone.join(&laptop);
//! laptop.join(&phone);
//! assert_eq!(phone, laptop);
//! assert_eq!(phone.value(), BTreeMap::from([(tea(), 2)])); // the five are gone
//! # Ok::<(), crdts::UpdateError>(())
//! ```
//!
//! What is deliberately absent: stock, prices, and a quantity to which an item is set. Two replicas that both set two would mean
//! two or four.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    atom::Atom,
    causality::{Causal, CausalContext, CausalSpec, CausalType, Change, Dot, DotFun, DotMap, Effect, Event, Specify},
    lattice::UpdateError,
    objects::{
        cart::{self, CartOp, CartRet},
        generic_object,
    },
    resettable_counter::{clear, sum},
};

generic_object! {
    /// What makes a causal state a cart of items of type `I`.
    CartType<I>
}

/// A shopping cart. See the [module documentation](self) for the argument and an example.
pub type Cart<I> = Causal<CartType<I>>;

impl<I: Atom> Cart<I> {
    /// How many units of an item are in the cart; zero if it is not.
    pub fn quantity(&self, item: &I) -> u128 {
        self.store().get(item).and_then(quantity).unwrap_or(0)
    }
}

/// The quantity that amounts make, if the item is in the cart.
fn quantity(amounts: &DotFun<i64>) -> Option<u128> {
    u128::try_from(sum(amounts)).ok().filter(|&total| total > 0)
}

/// What an update does to the amounts of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    /// Do those that are seen go?
    clears: bool,
    /// What is put under the dot of the update; nothing if zero.
    amount: i64,
}

const NOTHING: Plan = Plan { clears: false, amount: 0 };

/// What to do and what to answer, from the total that is seen.
fn plan<I>(op: &CartOp<I>, total: i128) -> Result<(Plan, CartRet<I>), UpdateError> {
    Ok(match op {
        CartOp::View | CartOp::Add { quantity: 0, .. } => (NOTHING, CartRet::Added),
        CartOp::Add { quantity, .. } => {
            let amount = i64::try_from(*quantity).map_err(|_| UpdateError::Overflow)?;
            (Plan { clears: total <= 0, amount }, CartRet::Added)
        }
        CartOp::Change { .. } if total <= 0 => (NOTHING, CartRet::NotInCart),
        CartOp::Change { by, .. } if total + i128::from(*by) > 0 => {
            (Plan { clears: false, amount: *by }, CartRet::Changed)
        }
        CartOp::Change { .. } | CartOp::Remove { .. } => (Plan { clears: true, amount: 0 }, CartRet::Removed),
    })
}

fn item_of<I>(op: &CartOp<I>) -> Option<&I> {
    match op {
        CartOp::Add { item, .. } | CartOp::Change { item, .. } | CartOp::Remove { item } => Some(item),
        CartOp::View => None,
    }
}

impl<I: Atom> CausalType for CartType<I> {
    type Store = DotMap<I, DotFun<i64>>;
    type Object = cart::Cart<I>;

    const NAME: &'static str = "cart";
    const SPECIFICATION: Option<Specify<cart::Cart<I>>> = Some(Cart::<I>::specify);

    fn update(
        store: &mut Self::Store,
        dot: Dot,
        op: &CartOp<I>,
    ) -> Result<Effect<CartRet<I>, Self::Store>, UpdateError> {
        let Some(item) = item_of(op) else {
            return Ok(Effect::none(CartRet::Items(Self::value(store).into_iter().collect())));
        };
        store.edit(item, |amounts| {
            let (plan, ret) = plan(op, sum(amounts))?;
            let removed = if plan.clears { clear(amounts) } else { CausalContext::default() };
            if plan.amount == 0 && removed.is_empty() {
                return Ok(Effect::none(ret));
            }
            let mut added = DotMap::default();
            if plan.amount != 0 {
                amounts.insert(dot, plan.amount);
                added = DotMap::single(item.clone(), DotFun::single(dot, plan.amount));
            }
            Ok(Effect { ret, change: Some(Change { added, removed }) })
        })
    }

    fn value(store: &Self::Store) -> BTreeMap<I, u128> {
        let quantities = store.iter().map(|(item, amounts)| (item, quantity(amounts)));
        quantities.filter_map(|(item, quantity)| Some((item.clone(), quantity?))).collect()
    }
}

/// Of each item the amounts that no update which clears has seen, where every update means what its replica saw.
impl<I: Atom> CausalSpec for Cart<I> {
    fn specify(history: &[Event<CartOp<I>>]) -> BTreeMap<I, u128> {
        let items: BTreeSet<&I> = history.iter().filter_map(|event| item_of(&event.op)).collect();
        let totals = items.into_iter().map(|item| (item, specify_item(item, history)));
        let positive = totals.filter_map(|(item, total)| Some((item, u128::try_from(total).ok()?)));
        positive.filter(|&(_, total)| total > 0).map(|(item, total)| (item.clone(), total)).collect()
    }
}

/// The total of an item. An update means what the table in the module documentation says for the total of its own past; an
/// amount counts unless an update that clears saw it.
fn specify_item<I: Atom>(item: &I, history: &[Event<CartOp<I>>]) -> i128 {
    let mut events: Vec<&Event<CartOp<I>>> = history.iter().filter(|event| item_of(&event.op) == Some(item)).collect();
    // A past is strictly larger than all pasts within it.
    events.sort_by_key(|event| event.past.len());
    let mut meant: Vec<(&Event<CartOp<I>>, Plan)> = Vec::new();
    let total = |meant: &[(&Event<CartOp<I>>, Plan)], visible: &dyn Fn(Dot) -> bool| -> i128 {
        let seen = || meant.iter().filter(|(event, _)| visible(event.dot));
        let cleared = |event| seen().any(|(other, plan)| plan.clears && other.saw(event));
        seen().filter(|(event, _)| !cleared(event)).map(|(_, plan)| i128::from(plan.amount)).sum()
    };
    for event in events {
        let observed = total(&meant, &|dot| event.past.contains(&dot));
        // A refused update is in no history.
        let (plan, _) = plan(&event.op, observed).unwrap_or((NOTHING, CartRet::NotInCart));
        meant.push((event, plan));
    }
    total(&meant, &|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ReplicaId,
        lattice::{Crdt, Lattice},
    };

    const ITEM: u8 = 7;

    fn ask(cart: &mut Cart<u8>, replica: u32, op: &CartOp<u8>) -> CartRet<u8> {
        cart.update(ReplicaId(replica), op).expect("no quantity here is large").ret
    }

    fn add(quantity: u64) -> CartOp<u8> {
        CartOp::Add { item: ITEM, quantity }
    }

    fn change(by: i64) -> CartOp<u8> {
        CartOp::Change { item: ITEM, by }
    }

    /// Two carts with `quantity` of the item.
    fn two_carts(quantity: u64) -> (Cart<u8>, Cart<u8>) {
        let mut cart = Cart::bottom();
        ask(&mut cart, 1, &add(quantity));
        (cart.clone(), cart)
    }

    fn merged(a: &Cart<u8>, b: &Cart<u8>) -> Cart<u8> {
        let mut both = a.clone();
        both.join(b);
        both
    }

    #[test]
    fn concurrent_changes_all_count() {
        let (mut a, mut b) = two_carts(5);
        ask(&mut a, 1, &change(-2));
        ask(&mut b, 2, &change(4));
        ask(&mut b, 2, &add(1));
        assert_eq!(merged(&a, &b).quantity(&ITEM), 8);
    }

    #[test]
    fn more_is_taken_than_there_is() {
        let (mut a, mut b) = two_carts(5);
        ask(&mut a, 1, &change(-4));
        ask(&mut b, 2, &change(-4));
        let mut both = merged(&a, &b);
        assert_eq!(both.value(), BTreeMap::new());
        assert_eq!(ask(&mut both, 1, &change(2)), CartRet::NotInCart);
        ask(&mut both, 1, &add(3));
        assert_eq!(both.quantity(&ITEM), 3, "the shortfall is over");
        assert_eq!(merged(&a, &both), both);
    }

    #[test]
    fn what_was_removed_does_not_come_back() {
        let (mut a, mut b) = two_carts(5);
        assert_eq!(ask(&mut a, 1, &change(-5)), CartRet::Removed);
        assert!(a.store().is_empty());
        ask(&mut b, 2, &change(-1));
        let mut both = merged(&a, &b);
        assert_eq!(both.quantity(&ITEM), 0);
        assert_eq!(ask(&mut both, 2, &CartOp::Remove { item: ITEM }), CartRet::Removed);
        assert!(both.store().is_empty());
        assert_eq!(merged(&merged(&b, &both), &a).value(), BTreeMap::new());
    }

    #[test]
    fn an_addition_wins_over_a_concurrent_removal() {
        let (mut a, mut b) = two_carts(5);
        ask(&mut a, 1, &CartOp::Remove { item: ITEM });
        ask(&mut b, 2, &add(2));
        assert_eq!(merged(&a, &b).quantity(&ITEM), 2);
    }

    #[test]
    fn quantities_are_exact_beyond_64_bits() {
        let mut cart = Cart::bottom();
        for _ in 0..4 {
            ask(&mut cart, 1, &add(i64::MAX as u64));
        }
        assert_eq!(cart.quantity(&ITEM), 4 * i64::MAX as u128);
        let before = cart.clone();
        let refused = cart.update(ReplicaId(1), &add(1 << 63));
        assert_eq!(refused.map(|update| update.ret), Err(UpdateError::Overflow));
        assert_eq!(cart, before);
        assert_eq!(ask(&mut cart, 1, &change(i64::MIN)), CartRet::Changed);
        assert_eq!(cart.quantity(&ITEM), 3 * i64::MAX as u128 - 1);
    }
}
