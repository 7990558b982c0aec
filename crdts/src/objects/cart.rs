//! The shopping cart: items with quantities.
//!
//! Invariant: an item in the cart has a quantity of at least 1. Adding brings it in or adds to its quantity; a change moves
//! the quantity of an item that is there, and takes it out when nothing would be left, so a quantity is never negative.
//! Quantities are exact: a total has 128 bits, so that no number of updates of 64 bits overflows it.
//!
//! ```
//! use std::collections::BTreeMap;
//! use crdts::{Object, objects::cart::{Cart, CartOp, CartRet}};
//!
//! let mut items = BTreeMap::new();
//! assert_eq!(Cart::step(&mut items, &CartOp::Add { item: "tea".to_owned(), quantity: 2 }), CartRet::Added);
//! assert_eq!(Cart::step(&mut items, &CartOp::Change { item: "tea".to_owned(), by: 3 }), CartRet::Changed);
//! assert_eq!(Cart::step(&mut items, &CartOp::View), CartRet::Items(vec![("tea".to_owned(), 5)]));
//! assert_eq!(Cart::step(&mut items, &CartOp::Change { item: "tea".to_owned(), by: -9 }), CartRet::Removed);
//! assert_eq!(Cart::step(&mut items, &CartOp::Change { item: "tea".to_owned(), by: 1 }), CartRet::NotInCart);
//! ```
//!
//! What is deliberately absent: prices, and an order of the items other than their own.

use std::collections::BTreeMap;

use crate::{atom::Atom, object::Object};

generic_object! {
    /// The cart object, with items of type `I`.
    Cart<I>
}

/// What clients ask of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CartOp<I> {
    /// Puts a quantity of an item into the cart, beside what is there of it. A quantity of zero changes nothing.
    Add {
        /// The item.
        item: I,
        /// How many units.
        quantity: u64,
    },
    /// Raises or lowers the quantity of an item that is in the cart. Lowered to zero or beyond, the item is removed.
    Change {
        /// The item.
        item: I,
        /// By how many units.
        by: i64,
    },
    /// Takes an item out, whatever its quantity.
    Remove {
        /// The item.
        item: I,
    },
    /// Asks for all items.
    View,
}

/// What a cart answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CartRet<I> {
    /// The quantity was added.
    Added,
    /// The quantity was changed, and the item is still there.
    Changed,
    /// The item is not in the cart now.
    Removed,
    /// There is no such item whose quantity could change. Nothing happened.
    NotInCart,
    /// The items in ascending order, with their quantities.
    Items(Vec<(I, u128)>),
}

impl<I: Atom> Object for Cart<I> {
    type Op = CartOp<I>;
    type Ret = CartRet<I>;
    /// Quantities, none of them zero.
    type State = BTreeMap<I, u128>;

    const NAME: &'static str = "cart";

    fn step(items: &mut BTreeMap<I, u128>, op: &CartOp<I>) -> CartRet<I> {
        match op {
            CartOp::Add { quantity: 0, .. } => CartRet::Added,
            CartOp::Add { item, quantity } => {
                *items.entry(item.clone()).or_default() += u128::from(*quantity);
                CartRet::Added
            }
            CartOp::Change { item, by } => {
                let Some(quantity) = items.get_mut(item) else { return CartRet::NotInCart };
                // Saturation is at zero only: 2^63 updates of the largest amount stay below 2^127.
                *quantity = quantity.saturating_add_signed(i128::from(*by));
                if *quantity > 0 {
                    return CartRet::Changed;
                }
                items.remove(item);
                CartRet::Removed
            }
            CartOp::Remove { item } => {
                items.remove(item);
                CartRet::Removed
            }
            CartOp::View => CartRet::Items(items.iter().map(|(item, &quantity)| (item.clone(), quantity)).collect()),
        }
    }

    fn is_update(op: &CartOp<I>) -> bool {
        !matches!(op, CartOp::View)
    }

    fn read() -> CartOp<I> {
        CartOp::View
    }

    fn op_name(op: &CartOp<I>) -> &'static str {
        match op {
            CartOp::Add { .. } => "add",
            CartOp::Change { .. } => "change",
            CartOp::Remove { .. } => "remove",
            CartOp::View => "view",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_stay_within_their_range() {
        let check = |before: u128, by: i64, ret: CartRet<u32>, after: Option<u128>| {
            let mut items = BTreeMap::from([(7_u32, before)]);
            assert_eq!(Cart::step(&mut items, &CartOp::Change { item: 7, by }), ret, "{before} {by}");
            assert_eq!(items.get(&7).copied(), after, "{before} {by}");
        };
        check(5, 0, CartRet::Changed, Some(5));
        check(5, -4, CartRet::Changed, Some(1));
        check(5, -5, CartRet::Removed, None);
        check(5, -6, CartRet::Removed, None);
        check(5, i64::MIN, CartRet::Removed, None);
        check(u64::MAX.into(), i64::MIN, CartRet::Changed, Some(u128::from(u64::MAX >> 1)));
        check(u64::MAX.into(), 1, CartRet::Changed, Some(1 << 64));
    }

    #[test]
    fn nothing_of_an_item_is_no_item() {
        let mut items = BTreeMap::new();
        assert_eq!(Cart::step(&mut items, &CartOp::Add { item: 7_u32, quantity: 0 }), CartRet::Added);
        assert!(items.is_empty());
    }
}
