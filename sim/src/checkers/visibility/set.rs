//! Sets: element by element, can an addition be the last operation, or a removal?

use std::collections::{BTreeMap, BTreeSet};

use crdts::objects::set::{Set, SetOp};

use super::{Fits, Made, Visibility};

impl Fits for Set<String> {
    fn fits(made: &[Made<'_, Self>], visibility: &Visibility, value: &BTreeSet<String>) -> Result<(), String> {
        // By element: the number of each operation, and whether it is an addition.
        let mut of: BTreeMap<&str, Vec<(u32, bool)>> = BTreeMap::new();
        for update in made {
            match update.op {
                SetOp::Add(element) => of.entry(element).or_default().push((update.number, true)),
                SetOp::Remove(element) => of.entry(element).or_default().push((update.number, false)),
                SetOp::Contains(_) | SetOp::Read => {}
            }
        }
        if let Some(element) = value.iter().find(|element| !of.contains_key(element.as_str())) {
            return Err(format!("{element} is in it, and nobody added it"));
        }
        for (element, operations) in of {
            let is_in = value.contains(element);
            let mut latest = visibility.latest(&operations, |(number, _)| *number).into_iter();
            if !latest.any(|at| operations[at].1 == is_in) {
                return Err(if is_in {
                    format!("{element} is in it, though a removal had seen every addition of it")
                } else {
                    format!("{element} is not in it, though an addition had seen every removal of it")
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdts::objects::set::SetRet;

    /// Two operations on one element; had the second seen the first?
    fn check(first: fn(String) -> SetOp<String>, second: fn(String) -> SetOp<String>, saw: bool) -> [bool; 2] {
        let ops = [first("milk".to_owned()), second("milk".to_owned())];
        let made = [0, 1].map(|number| Made { number, op: &ops[number as usize], ret: Some(&SetRet::Added) });
        let visibility = Visibility::new(vec![Some(vec![]), Some(vec![u64::from(saw)])]);
        let fits = |value: &[&str]| {
            Set::fits(&made, &visibility, &value.iter().map(|&element| element.to_owned()).collect()).is_ok()
        };
        [fits(&["milk"]), fits(&[])]
    }

    #[test]
    fn concurrent_operations_leave_it_open_and_others_do_not() {
        assert_eq!(check(SetOp::Add, SetOp::Remove, true), [false, true]);
        assert_eq!(check(SetOp::Remove, SetOp::Add, true), [true, false]);
        assert_eq!(check(SetOp::Add, SetOp::Remove, false), [true, true]);
        assert_eq!(check(SetOp::Add, SetOp::Add, false), [true, false]);
    }

    #[test]
    fn what_nobody_added_does_not_fit() {
        let value = BTreeSet::from(["bread".to_owned()]);
        assert!(Set::fits(&[], &Visibility::default(), &value).is_err());
    }
}
