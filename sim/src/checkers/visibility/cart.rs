//! Carts: item by item, how much must be left, and how much may be?
//!
//! A removal takes what it has seen, and may take what is concurrent to it. A change of an item that is not in the cart does
//! nothing, so every change may have done nothing.

use std::collections::{BTreeMap, BTreeSet};

use crdts::objects::cart::{Cart, CartOp};

use super::{Fits, Made, Visibility};

/// What was done to an item.
#[derive(Default)]
struct Item {
    /// Additions with their quantities.
    added: Vec<(u32, i128)>,
    changed: Vec<(u32, i128)>,
    removed: Vec<u32>,
}

impl Item {
    /// The least and the greatest quantity that may be left.
    fn bounds(&self, visibility: &Visibility) -> (i128, i128) {
        // A change by less than nothing can take an item out, and so can take what is concurrent with it.
        let takes: Vec<u32> = self.changed.iter().filter(|(_, by)| *by < 0).map(|(number, _)| *number).collect();
        let must_be_gone = |number: u32| self.removed.iter().any(|&removal| visibility.saw(removal, number));
        let must_be_there = |number: u32| self.removed.iter().chain(&takes).all(|&taken| visibility.saw(number, taken));
        let sum = |list: &[(u32, i128)], keep: &dyn Fn(u32) -> bool| {
            list.iter().filter(|(number, _)| keep(*number)).map(|(_, quantity)| quantity).sum::<i128>()
        };
        let least = sum(&self.added, &must_be_there);
        let raises: Vec<(u32, i128)> = self.changed.iter().filter(|(_, by)| *by > 0).copied().collect();
        let greatest =
            sum(&self.added, &|number| !must_be_gone(number)) + sum(&raises, &|number| !must_be_gone(number));
        (least, greatest)
    }
}

impl Fits for Cart<String> {
    fn fits(made: &[Made<'_, Self>], visibility: &Visibility, value: &BTreeMap<String, u128>) -> Result<(), String> {
        let mut of: BTreeMap<&str, Item> = BTreeMap::new();
        for update in made {
            match update.op {
                CartOp::Add { item, quantity } => {
                    of.entry(item).or_default().added.push((update.number, i128::from(*quantity)));
                }
                CartOp::Change { item, by } => {
                    of.entry(item).or_default().changed.push((update.number, i128::from(*by)));
                }
                CartOp::Remove { item } => of.entry(item).or_default().removed.push(update.number),
                CartOp::View => {}
            }
        }
        let items: BTreeSet<&str> = of.keys().copied().chain(value.keys().map(String::as_str)).collect();
        for item in items {
            let quantity = value.get(item).map_or(0, |&quantity| i128::try_from(quantity).unwrap_or(i128::MAX));
            let (least, greatest) = of.get(item).map_or((0, 0), |operations| operations.bounds(visibility));
            if quantity < least || quantity > greatest {
                return Err(format!("{quantity} of {item} are in it, and should be from {least} to {greatest}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(ops: &[CartOp<String>], pasts: &[u64], quantity: u128) -> bool {
        let made: Vec<Made<'_, Cart<String>>> =
            (0..).zip(ops).map(|(number, op)| Made { number, op, ret: None }).collect();
        let visibility = Visibility::new(pasts.iter().map(|&past| Some(vec![past])).collect());
        let value = (quantity > 0).then(|| ("milk".to_owned(), quantity)).into_iter().collect();
        Cart::fits(&made, &visibility, &value).is_ok()
    }

    fn add(quantity: u64) -> CartOp<String> {
        CartOp::Add { item: "milk".to_owned(), quantity }
    }

    #[test]
    fn additions_add_up_whoever_made_them() {
        let check = |quantity| fits(&[add(2), add(3)], &[0, 0], quantity);
        assert!(check(5));
        assert!(!check(3) && !check(2) && !check(6) && !check(0));
    }

    #[test]
    fn a_removal_takes_what_it_has_seen_and_perhaps_what_is_concurrent() {
        let remove = || CartOp::Remove { item: "milk".to_owned() };
        let saw_both = |quantity| fits(&[add(2), add(3), remove()], &[0, 0, 0b11], quantity);
        assert!(saw_both(0) && !saw_both(2) && !saw_both(5));
        let saw_one = |quantity| fits(&[add(2), add(3), remove()], &[0, 0, 0b1], quantity);
        assert!(saw_one(3) && saw_one(0) && !saw_one(5));
        let before = |quantity| fits(&[remove(), add(2)], &[0, 0b1], quantity);
        assert!(before(2) && !before(0));
    }

    #[test]
    fn changes_move_the_bounds() {
        let change = |by| CartOp::Change { item: "milk".to_owned(), by };
        assert!(fits(&[add(2), change(3)], &[0, 1], 5) && fits(&[add(2), change(3)], &[0, 0], 2));
        assert!(!fits(&[add(2), change(3)], &[0, 1], 6));
        assert!(fits(&[add(2), change(-1)], &[0, 1], 1) && fits(&[add(2), change(-2)], &[0, 1], 0));
    }
}
