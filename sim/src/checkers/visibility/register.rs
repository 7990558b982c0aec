//! Registers: which writes had no other one seen?

use std::collections::BTreeSet;

use crdts::{
    object::Object,
    objects::{
        mv_register::MultiValue,
        register::{Register, RegisterOp},
    },
};

use super::{Fits, Made, Replaced, Visibility};

/// The writes that no other one had seen.
fn latest<'a>(writes: &[(u32, &'a str)], visibility: &Visibility) -> Vec<&'a str> {
    visibility.latest(writes, |(number, _)| *number).into_iter().map(|at| writes[at].1).collect()
}

fn written(op: &RegisterOp<String>) -> Option<&str> {
    match op {
        RegisterOp::Write(value) => Some(value),
        RegisterOp::Read => None,
    }
}

/// The numbers of all writes with what they wrote.
fn writes<'a, O>(updates: &[Made<'a, O>]) -> Vec<(u32, &'a str)>
where
    O: Object<Op = RegisterOp<String>>,
{
    updates.iter().filter_map(|update| Some((update.number, written(update.op)?))).collect()
}

/// Acknowledged writes that are neither of a remaining value nor of one that such a write has replaced, and so on. A write of
/// unknown fate may stand between, and is not counted itself.
fn overwritten<'a, O>(
    updates: &[Made<'a, O>],
    visibility: &Visibility,
    replaced: impl Fn(u32) -> Option<Vec<&'a str>>,
    remaining: Vec<&'a str>,
) -> u64
where
    O: Object<Op = RegisterOp<String>>,
{
    let writes = writes(updates);
    let (mut known, mut pending) = (BTreeSet::new(), remaining);
    while let Some(value) = pending.pop() {
        for &(number, _) in writes.iter().filter(|(_, other)| *other == value) {
            if known.insert(number) {
                match replaced(number) {
                    Some(values) => pending.extend(values),
                    None => known
                        .extend(writes.iter().map(|(other, _)| *other).filter(|other| visibility.saw(number, *other))),
                }
            }
        }
    }
    let is_lost =
        |update: &&Made<'a, O>| update.ret.is_some() && O::is_update(update.op) && !known.contains(&update.number);
    updates.iter().filter(is_lost).count() as u64
}

impl Fits for Register<String> {
    fn fits(made: &[Made<'_, Self>], visibility: &Visibility, value: &Option<String>) -> Result<(), String> {
        let writes = writes(made);
        match value {
            None if writes.is_empty() => Ok(()),
            None => Err("nothing is in it, though something was written".to_owned()),
            Some(value) if latest(&writes, visibility).contains(&value.as_str()) => Ok(()),
            Some(value) if writes.iter().any(|(_, other)| other == value) => {
                Err(format!("{value} is in it, though a later write had seen it"))
            }
            Some(value) => Err(format!("{value} is in it, and nobody wrote it")),
        }
    }

    fn overwritten(updates: &[Made<'_, Self>], replaced: &Replaced<'_, Self>, value: &Option<String>) -> Option<u64> {
        let known = |number| Some(replaced.values.get(&number)?.iter().map(String::as_str).collect());
        Some(overwritten(updates, replaced.visibility, known, value.iter().map(String::as_str).collect()))
    }
}

impl Fits for MultiValue<String> {
    fn fits(made: &[Made<'_, Self>], visibility: &Visibility, siblings: &Vec<String>) -> Result<(), String> {
        let writes = writes(made);
        let mut latest = latest(&writes, visibility);
        latest.sort_unstable();
        if latest.iter().eq(siblings.iter()) {
            return Ok(());
        }
        Err(format!("{siblings:?} are in it, and should be {latest:?}, the writes that no other one had seen"))
    }

    fn overwritten(updates: &[Made<'_, Self>], replaced: &Replaced<'_, Self>, siblings: &Vec<String>) -> Option<u64> {
        let known = |number| Some(replaced.values.get(&number)?.iter().map(String::as_str).collect());
        Some(overwritten(updates, replaced.visibility, known, siblings.iter().map(String::as_str).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crdts::objects::{mv_register::MultiValueRet, register::RegisterRet};

    use super::*;

    fn three() -> [RegisterOp<String>; 3] {
        ["a", "b", "c"].map(|value| RegisterOp::Write(value.to_owned()))
    }

    /// `b` and `c` had both seen `a`, and nothing of each other.
    fn visibility() -> Visibility {
        Visibility::new(vec![Some(vec![]), Some(vec![1]), Some(vec![1])])
    }

    #[test]
    fn one_of_the_latest_writes_is_in_a_register_and_the_other_is_lost() {
        let ops = three();
        let made = [0, 1, 2].map(|number| Made { number, op: &ops[number as usize], ret: Some(&RegisterRet::Written) });
        let check = |value: Option<&str>| {
            let value = value.map(str::to_owned);
            let fits = Register::fits(&made, &visibility(), &value).is_ok();
            let replaced = Replaced { values: &BTreeMap::new(), visibility: &visibility() };
            (fits, Register::overwritten(&made, &replaced, &value))
        };
        assert_eq!(check(Some("b")), (true, Some(1)));
        assert_eq!(check(Some("c")), (true, Some(1)));
        assert_eq!(check(Some("a")), (false, Some(2)));
        assert_eq!(check(Some("d")), (false, Some(3)));
        assert_eq!(check(None), (false, Some(3)));
    }

    #[test]
    fn all_of_the_latest_writes_are_siblings_and_none_is_lost() {
        let ops = three();
        let made =
            [0, 1, 2].map(|number| Made { number, op: &ops[number as usize], ret: Some(&MultiValueRet::Written) });
        let check = |siblings: &[&str]| {
            let siblings = siblings.iter().map(|&value| value.to_owned()).collect();
            let fits = MultiValue::fits(&made, &visibility(), &siblings).is_ok();
            let replaced = Replaced { values: &BTreeMap::new(), visibility: &visibility() };
            (fits, MultiValue::overwritten(&made, &replaced, &siblings))
        };
        assert_eq!(check(&["b", "c"]), (true, Some(0)));
        assert_eq!(check(&["b"]), (false, Some(1)));
        assert_eq!(check(&["a", "b", "c"]), (false, Some(0)));
    }

    #[test]
    fn whoever_saw_only_the_winner_does_not_save_the_loser() {
        // All three had been received when `c` was written, but what its writer could see, and replaced, was `b`.
        let ops = three();
        let made = [0, 1, 2].map(|number| Made { number, op: &ops[number as usize], ret: Some(&RegisterRet::Written) });
        let everything = Visibility::new(vec![Some(vec![]), Some(vec![]), Some(vec![0b11])]);
        let value = |text: &str| Some(text.to_owned());
        let values = BTreeMap::from([(0, None), (1, None), (2, value("b"))]);
        let lost = |values: &BTreeMap<u32, Option<String>>| {
            Register::overwritten(&made, &Replaced { values, visibility: &everything }, &value("c"))
        };
        assert_eq!(lost(&values), Some(1));
        assert_eq!(lost(&BTreeMap::new()), Some(0));
    }

    #[test]
    fn a_write_of_unknown_fate_hands_on_what_it_replaced_and_is_not_missed_itself() {
        let ops = three();
        let answer = RegisterRet::Written;
        let made = [Some(&answer), None, Some(&answer)]
            .into_iter()
            .zip(0..)
            .map(|(ret, number)| Made { number, op: &ops[number as usize], ret })
            .collect::<Vec<_>>();
        let value = |text: &str| Some(text.to_owned());
        let values = BTreeMap::from([(0, None), (1, value("a")), (2, value("b"))]);
        let visibility = Visibility::new(vec![Some(vec![]); 3]);
        let lost = |last: &str| {
            Register::overwritten(&made, &Replaced { values: &values, visibility: &visibility }, &value(last))
        };
        assert_eq!((lost("c"), lost("b"), lost("a")), (Some(0), Some(1), Some(1)));
    }
}
