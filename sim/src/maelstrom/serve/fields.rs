//! Fields of requests: read strictly, and refused with a text that names the field.
//!
//! Invariant: whatever JSON stands in a field, reading it gives a value or a refusal with error 12, and nothing is rounded,
//! wrapped or cut on the way: a counter takes integers of 64 bits, and `1.0` is none.
//!
//! ```
//! use serde_json::json;
//! use sim::maelstrom::{serve::fields, wire::Body};
//!
//! let body = Body::new("add", json!({ "delta": 1.5 }));
//! assert_eq!(fields::integer(&body, "delta").expect_err("a float").text, "`delta` must be an integer of 64 bits, not 1.5");
//! ```
//!
//! What is deliberately absent: defaults. A field that may be absent is asked for with [`present`].

use serde_json::{Map, Number, Value};

use crate::maelstrom::wire::{Body, ErrorCode};

/// Why a request is answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind of error.
    pub code: ErrorCode,
    /// What is wrong, for a person.
    pub text: String,
}

impl Refused {
    /// A refusal.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The request makes no sense.
    pub fn malformed(text: impl Into<String>) -> Self {
        Self::new(ErrorCode::MalformedRequest, text)
    }

    /// The field is not what it must be.
    pub fn field(name: &str, must_be: &str, found: &Value) -> Self {
        let mut shown = found.to_string();
        if shown.chars().count() > 60 {
            shown = shown.chars().take(60).chain("...".chars()).collect();
        }
        Self::malformed(format!("`{name}` must be {must_be}, not {shown}"))
    }

    /// Nobody here knows this type of request.
    pub fn unknown(body: &Body) -> Self {
        Self::new(ErrorCode::NotSupported, format!("this replica does not know requests of type `{}`", body.kind()))
    }

    /// As the body of a reply.
    pub fn body(&self) -> Body {
        Body::error(self.code, &self.text)
    }
}

/// A field that may be absent. One that is there and null counts as absent.
pub fn present<'a>(body: &'a Body, name: &str) -> Option<&'a Value> {
    body.0.get(name).filter(|value| !value.is_null())
}

/// A field with any value, null included.
pub fn any<'a>(body: &'a Body, name: &str) -> Result<&'a Value, Refused> {
    body.0.get(name).ok_or_else(|| Refused::malformed(format!("`{name}` is missing")))
}

/// A text.
pub fn text<'a>(body: &'a Body, name: &str) -> Result<&'a str, Refused> {
    let value = any(body, name)?;
    value.as_str().ok_or_else(|| Refused::field(name, "a string", value))
}

/// An integer of 64 bits with a sign.
pub fn integer(body: &Body, name: &str) -> Result<i64, Refused> {
    let value = any(body, name)?;
    value.as_i64().ok_or_else(|| Refused::field(name, "an integer of 64 bits", value))
}

/// An integer from 0 up.
pub fn natural(body: &Body, name: &str) -> Result<u64, Refused> {
    let value = any(body, name)?;
    value.as_u64().ok_or_else(|| Refused::field(name, "an integer of at least 0 and 64 bits", value))
}

/// Yes or no; no when absent.
pub fn flag(body: &Body, name: &str) -> Result<bool, Refused> {
    match present(body, name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Refused::field(name, "true or false", value)),
    }
}

/// An object.
pub fn object<'a>(body: &'a Body, name: &str) -> Result<&'a Map<String, Value>, Refused> {
    let value = any(body, name)?;
    value.as_object().ok_or_else(|| Refused::field(name, "an object", value))
}

/// A share from 0 to 1, in parts per million.
pub fn share(body: &Body, name: &str) -> Result<u32, Refused> {
    let value = any(body, name)?;
    let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
    let share = share.ok_or_else(|| Refused::field(name, "a number from 0 to 1", value))?;
    Ok((share * 1e6).round() as u32)
}

/// Any JSON as the text by which it is compared: keys sorted, no blanks. `1` and `1.0` are two values, as in Maelstrom.
pub fn canonical(value: &Value) -> String {
    value.to_string()
}

/// The JSON of a canonical text. What is no JSON, as only a state from elsewhere can hold, is shown as the text that it is.
pub fn parsed(canonical: &str) -> Value {
    serde_json::from_str(canonical).unwrap_or_else(|_| Value::String(canonical.to_owned()))
}

/// An exact total: a number while it fits 64 bits, and its digits as a text beyond that.
pub fn exact(total: i128) -> Value {
    let number = i64::try_from(total).map(Number::from).or_else(|_| u64::try_from(total).map(Number::from));
    number.map_or_else(|_| Value::String(total.to_string()), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        let read = |value: Value| integer(&Body::new("add", json!({ "delta": value })), "delta");
        assert_eq!(read(json!(-7)), Ok(-7));
        assert_eq!(read(json!(i64::MIN)), Ok(i64::MIN));
        for wrong in [json!(1.0), json!(1e300), json!(u64::MAX), json!("1"), json!(null), json!([1]), json!(true)] {
            let refused = read(wrong).expect_err("no integer");
            assert_eq!(refused.code, ErrorCode::MalformedRequest);
            assert!(refused.text.contains("`delta`"), "{}", refused.text);
        }
        assert_eq!(exact(i128::from(u64::MAX)), json!(u64::MAX));
        assert_eq!(exact(i128::from(u64::MAX) + 1), json!("18446744073709551616"));
    }

    #[test]
    fn shares_are_between_none_and_all() {
        let read = |value: Value| share(&Body::new("x", json!({ "rate": value })), "rate");
        assert_eq!([read(json!(0)), read(json!(0.125)), read(json!(1))], [Ok(0), Ok(125_000), Ok(1_000_000)]);
        assert!(read(json!(1.1)).is_err() && read(json!(-0.1)).is_err() && read(json!("0.5")).is_err());
    }

    #[test]
    fn any_json_has_one_text() {
        let value = json!({ "b": [1, 1.0, null], "a": "ä" });
        assert_eq!(canonical(&value), r#"{"a":"ä","b":[1,1.0,null]}"#);
        assert_eq!(parsed(&canonical(&value)), value);
        assert_eq!(parsed("no json"), json!("no json"));
    }
}
