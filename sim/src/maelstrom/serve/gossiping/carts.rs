//! The cart: `cart_add {item, qty}`, `cart_remove {item}`, `cart_view`.
//!
//! Items are any JSON, quantities integers from 1 up. `cart_size` is the number of different items, `total_items` the
//! sum of all quantities.
//!
//! ```json
//! {"type": "cart_add", "msg_id": 1, "item": "tea", "qty": 2}    {"type": "cart_add_ok", "in_reply_to": 1, "cart_size": 1}
//! {"type": "cart_view", "msg_id": 2}    {"type": "cart_view_ok", "in_reply_to": 2, "items": [{"item": "tea", "qty": 2}], "total_items": 2}
//! ```
//!
//! Invariant: an item in the cart has a quantity of at least 1. Removing what is not there changes nothing, and is no
//! error. What is deliberately absent: changing a quantity.

use crdts::{cart::Cart, lattice::Crdt, objects::cart::CartOp};
use serde_json::{Value, json};

use super::{Asked, Spoken};
use crate::maelstrom::{
    serve::fields::{self, Refused},
    wire::Body,
};

/// A cart.
#[derive(Debug)]
pub(in crate::maelstrom::serve) struct Shopping;

/// A quantity as an exact number.
fn quantity(quantity: u128) -> Value {
    i128::try_from(quantity).map_or_else(|_| Value::String(quantity.to_string()), fields::exact)
}

fn items(cart: &Cart<String>) -> Value {
    let item = |(item, &qty): (&String, &u128)| json!({ "item": fields::parsed(item), "qty": quantity(qty) });
    cart.value().iter().map(item).collect()
}

impl Spoken for Shopping {
    type Crdt = Cart<String>;

    fn ask(&mut self, _: &Cart<String>, body: &Body) -> Result<Asked<Cart<String>>, Refused> {
        match body.kind() {
            "cart_add" => {
                let item = fields::canonical(fields::any(body, "item")?);
                let qty = fields::integer(body, "qty")?;
                let quantity = u64::try_from(qty).ok().filter(|qty| *qty > 0);
                let quantity = quantity.ok_or_else(|| Refused::field("qty", "at least 1", &body.0["qty"]))?;
                let answer =
                    |after: &Cart<String>, _| Body::new("cart_add_ok", json!({ "cart_size": after.value().len() }));
                Ok(Asked(CartOp::Add { item, quantity }, Box::new(answer)))
            }
            "cart_remove" => {
                let item = fields::canonical(fields::any(body, "item")?);
                Ok(Asked(CartOp::Remove { item }, Box::new(|_, _| Body::new("cart_remove_ok", json!({})))))
            }
            "cart_view" => {
                let answer = |after: &Cart<String>, _| {
                    let total: u128 = after.value().values().sum();
                    let fields = json!({ "items": items(after), "total_items": quantity(total) });
                    Body::new("cart_view_ok", fields)
                };
                Ok(Asked(CartOp::View, Box::new(answer)))
            }
            _ => Err(Refused::unknown(body)),
        }
    }

    fn local_value(&self, state: &Cart<String>) -> Value {
        items(state)
    }
}
