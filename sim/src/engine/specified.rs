//! The agreed value against the specification of its data type.
//!
//! [`crate::checkers::visibility`] leaves open who wins where updates are concurrent; a data type does not. Its value is a
//! function of the updates and of what each had seen ([`crdts::causality::CausalSpec`]), which is computed here from the
//! ghost record of the run and compared.
//!
//! What is deliberately absent: long histories. The specification costs the square of their length or more, so nothing is
//! compared beyond [`UPDATES_MAX`] updates.

use std::collections::BTreeSet;

use crdts::{
    causality::{Dot, Event, Specify},
    clock::ReplicaId,
};

use crate::{
    checkers::{
        Verdict,
        visibility::{Made, Visibility},
    },
    history::History,
    objects::{Judged, made},
};

/// The most updates that a value is specified for.
const UPDATES_MAX: usize = 800;

/// The updates of a run, with what is known about them.
pub(super) struct Specified<'a, O: Judged> {
    pub(super) history: &'a History<O>,
    /// The name of each update by its number.
    pub(super) dots: &'a [Option<(ReplicaId, u64)>],
    pub(super) visibility: Option<&'a Visibility>,
}

impl<O: Judged> Specified<'_, O> {
    /// Is `agreed`, behind which are the updates of `content`, what `specify` says?
    pub(super) fn verdict(&self, specify: Specify<O>, content: Option<&[u64]>, agreed: Option<&O::State>) -> Verdict {
        let Some(agreed) = agreed else {
            return Verdict::Fail { witness: "the replicas do not agree at the end".to_owned() };
        };
        let unknown = |reason: String| Verdict::Unknown { reason };
        let (Some(content), Some(visibility)) = (content, self.visibility) else {
            return unknown("too many replicas and updates to follow every update".to_owned());
        };
        let updates = made(self.history, content);
        if updates.is_empty() {
            return Verdict::Vacuous { reason: "no update had an effect".to_owned() };
        }
        if updates.len() > UPDATES_MAX {
            return unknown(format!("there are more than {UPDATES_MAX} updates"));
        }
        let named = |number: u32| {
            let (replica, progress) = (*self.dots.get(number as usize)?)?;
            Some((number, Dot::new(replica, progress)))
        };
        let dots: Option<Vec<(u32, Dot)>> = updates.iter().map(|update| named(update.number)).collect();
        let Some(dots) = dots else { return unknown("an update has no name".to_owned()) };
        let past = |number: u32| -> BTreeSet<Dot> {
            dots.iter().filter(|(other, _)| visibility.saw(number, *other)).map(|(_, dot)| *dot).collect()
        };
        let event = |(update, (number, dot)): (&Made<'_, O>, &(u32, Dot))| Event {
            dot: *dot,
            op: update.op.clone(),
            past: past(*number),
        };
        let history: Vec<Event<O::Op>> = updates.iter().zip(&dots).map(event).collect();
        let specified = specify(&history);
        if specified == *agreed {
            return Verdict::Pass;
        }
        let (value, wanted) = (O::state(agreed), O::state(&specified));
        Verdict::Fail {
            witness: format!("the value is {value}, and should be {wanted} after {} updates", updates.len()),
        }
    }
}
