//! Texts: letters neither come from nowhere nor disappear undeleted.

use std::collections::BTreeMap;

use crdts::objects::sequence::{Sequence, SequenceOp, SequenceRet};

use super::{Fits, Made, Visibility};

impl Fits for Sequence {
    fn fits(made: &[Made<'_, Self>], _: &Visibility, value: &String) -> Result<(), String> {
        let mut inserted: BTreeMap<char, i64> = BTreeMap::new();
        // Insertions whose answer is not known may have been out of range.
        let (mut certain, mut deleted) = (0_i64, 0_i64);
        for update in made {
            match (update.op, update.ret) {
                (_, Some(SequenceRet::OutOfRange { .. })) | (SequenceOp::Read, _) => {}
                (SequenceOp::InsertAt { text, .. }, ret) => {
                    for letter in text.chars() {
                        *inserted.entry(letter).or_default() += 1;
                        certain += i64::from(ret.is_some());
                    }
                }
                (SequenceOp::DeleteAt { len, .. }, _) => deleted += *len as i64,
            }
        }
        let mut length = 0;
        for letter in value.chars() {
            length += 1;
            let left = inserted.entry(letter).or_default();
            *left -= 1;
            if *left < 0 {
                return Err(format!("{letter:?} occurs more often than it was inserted"));
            }
        }
        if length < certain - deleted {
            return Err(format!("{length} letters are left of {certain}, of which at most {deleted} were deleted"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        let insert = |text: &str| SequenceOp::InsertAt { position: 0, text: text.to_owned() };
        let ops = [insert("tea"), insert("t"), SequenceOp::DeleteAt { position: 0, len: 2 }, insert("x")];
        let rets =
            [SequenceRet::Inserted, SequenceRet::Inserted, SequenceRet::Deleted, SequenceRet::OutOfRange { len: 0 }];
        let made: Vec<Made<'_, Sequence>> =
            (0..).zip(ops.iter().zip(&rets)).map(|(number, (op, ret))| Made { number, op, ret: Some(ret) }).collect();
        let fits = |value: &str| Sequence::fits(&made, &Visibility::default(), &value.to_owned()).is_ok();
        assert!(fits("at") && fits("tea") && fits("ttea"));
        assert!(!fits("a") && !fits("xt") && !fits("eae"));
    }
}
