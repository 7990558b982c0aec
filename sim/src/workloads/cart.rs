//! Operations on a shopping cart: items are added, changed in quantity and removed, and the cart is viewed.
//!
//! Items and quantities are drawn from addresses of their own, whatever the kind of operation is.

use crdts::objects::cart::{Cart, CartOp};

use super::{
    AmountDistribution, Popularity,
    clients::{Generator, ScriptedOp, Turn},
};
use crate::kernel::draws::Stream;

/// What carts are filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartItems {
    /// The items.
    pub items: Popularity,
    /// How many units are added. A change of quantity is by this amount, up or down.
    pub quantity: AmountDistribution,
}

/// Makes operations on a cart.
#[derive(Clone, Debug)]
pub struct CartGenerator {
    config: CartItems,
    items: Stream,
    quantities: Stream,
}

impl CartGenerator {
    /// Operations on such items, under `seed`.
    pub fn new(config: CartItems, seed: u64) -> Self {
        Self { config, items: Stream::new(seed, "work.item"), quantities: Stream::new(seed, "work.quantity") }
    }
}

impl Generator<Cart<String>> for CartGenerator {
    const KINDS: &'static [&'static str] = &["add", "change", "remove", "view"];

    fn operation(&mut self, turn: Turn) -> CartOp<String> {
        let (entity, number) = (u64::from(turn.client), turn.number);
        let item = self.config.items.pick(self.items.word(entity, number)).to_owned();
        let word = self.quantities.word(entity, number);
        let quantity = self.config.quantity.sample(word);
        match turn.kind {
            0 => CartOp::Add { item, quantity: quantity.unsigned_abs() },
            // The lowest bit decides last what a sample is, and so is as good as independent of it.
            1 => CartOp::Change { item, by: if word & 1 == 0 { quantity } else { quantity.saturating_neg() } },
            2 => CartOp::Remove { item },
            _ => CartOp::View,
        }
    }

    fn scripted(op: &ScriptedOp, _: u32) -> Option<CartOp<String>> {
        match op {
            ScriptedOp::Cart(op) => Some(op.clone()),
            _ => None,
        }
    }
}
