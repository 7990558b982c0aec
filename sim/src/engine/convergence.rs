//! Strong eventual convergence, judged by what was seen at every delivery.
//!
//! A run is strongly convergent if (1) replicas with the same updates had the same value, whenever that was; (2) no replica lost
//! an update that it had, but by a crash; (3) at the end all live replicas have the same updates; and, where states are a
//! lattice, (4) every replica's state at the end is the join of all updates and (5) the laws of joins hold for states that
//! occurred (Shapiro et al. 2011, *Conflict-free replicated data types*, definitions 2.2 and 2.3).
//!
//! What has not arrived at the end of a run may arrive later, if the protocol repairs what gets lost: then (3) is unknown.
//!
//! What is deliberately absent: eventual delivery beyond the end of the run.

use super::consistency::Finding;
use crate::{
    checkers::{Consistency, Verdict},
    history::{History, Operation},
    measure::{ConvergenceEvidence, deliveries::Held, states::Broken},
    objects::Judged,
};

/// Judges strong convergence.
pub(super) fn finding<O: Judged>(history: &History<O>, evidence: &ConvergenceEvidence) -> Finding {
    Finding { model: Consistency::StronglyConvergent, verdict: verdict(history, evidence) }
}

fn verdict<O: Judged>(history: &History<O>, evidence: &ConvergenceEvidence) -> Verdict {
    let update = |number: u32| history.updates().nth(number as usize).map_or_else(String::new, Operation::told);
    let held = |held: &Held| format!("n{} at {}", held.replica.0 + 1, held.at);
    let fail = |witness: String| Verdict::Fail { witness };
    if let Some(Broken { violation, origins }) = evidence.laws.as_ref().and_then(|laws| laws.broken.as_ref()) {
        let states = origins.map(|(replica, at)| format!("n{} at {at}", replica.0 + 1)).join(", ");
        return fail(format!("states of {states}: {violation}"));
    }
    if let Some((one, other)) = evidence.deliveries.as_ref().and_then(|deliveries| deliveries.conflict.as_ref()) {
        return fail(format!("{} and {} had the same updates and different values", held(one), held(other)));
    }
    if let Some(withdrawn) = evidence.withdrawn {
        let (replica, at) = (withdrawn.replica.0 + 1, withdrawn.at);
        return fail(format!("n{replica} had [{}] and lost it at {at}", update(withdrawn.number)));
    }
    if let Some(replica) = evidence.unjoined {
        return fail(format!("the state of n{} at the end is not the join of all updates", replica.0 + 1));
    }
    let Some(deliveries) = evidence.deliveries else {
        return Verdict::Unknown { reason: "too many replicas and operations to watch every delivery".to_owned() };
    };
    if let Some((number, replica)) = evidence.undelivered {
        let lacks = format!("n{} lacks [{}] at the end", replica.0 + 1, update(number));
        let reason = format!("{lacks}; it may still arrive");
        return if evidence.repairs { Verdict::Unknown { reason } } else { fail(lacks) };
    }
    if deliveries.compared == 0 {
        return Verdict::Vacuous { reason: "no two replicas had the same updates".to_owned() };
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{ids::NodeId, time::Time},
        measure::{deliveries::Evidence, reflection::Withdrawn, states::Laws},
    };
    use crdts::objects::counter::{Counter, CounterOp};

    fn sound() -> ConvergenceEvidence {
        ConvergenceEvidence {
            deliveries: Some(Evidence { compared: 9, conflict: None }),
            withdrawn: None,
            undelivered: None,
            unjoined: None,
            laws: Some(Laws { checked: 64, broken: None }),
            repairs: true,
        }
    }

    #[test]
    fn every_piece_of_evidence_counts() {
        let mut history = History::<Counter>::new(1);
        history.invoke(0, 1, CounterOp::Add(4), 0);
        let judge = |change: &dyn Fn(&mut ConvergenceEvidence)| {
            let mut evidence = sound();
            change(&mut evidence);
            verdict(&history, &evidence).to_string()
        };
        let held = |replica, value| Held { replica: NodeId(replica), at: Time(5), value };
        assert_eq!(judge(&|_| {}), "pass");
        assert_eq!(
            judge(&|evidence| {
                evidence.deliveries = Some(Evidence { compared: 1, conflict: Some((held(0, 1), held(1, 2))) });
            }),
            "fail: n1 at 5ns and n2 at 5ns had the same updates and different values"
        );
        assert_eq!(
            judge(&|evidence| {
                evidence.withdrawn = Some(Withdrawn { number: 0, replica: NodeId(1), at: Time(7) });
            }),
            "fail: n2 had [c1 at n2: add 4, 0.000 ms, of unknown fate] and lost it at 7ns"
        );
        assert_eq!(
            judge(&|evidence| evidence.undelivered = Some((0, NodeId(2)))),
            "unknown: n3 lacks [c1 at n2: add 4, 0.000 ms, of unknown fate] at the end; it may still arrive"
        );
        assert_eq!(
            judge(&|evidence| (evidence.undelivered, evidence.repairs) = (Some((0, NodeId(2))), false)),
            "fail: n3 lacks [c1 at n2: add 4, 0.000 ms, of unknown fate] at the end"
        );
        assert_eq!(
            judge(&|evidence| evidence.unjoined = Some(NodeId(0))),
            "fail: the state of n1 at the end is not the join of all updates"
        );
        let broken = Broken { violation: "broken law".into(), origins: [0, 1, 2].map(|node| (NodeId(node), Time(1))) };
        assert_eq!(
            judge(&|evidence| evidence.laws = Some(Laws { checked: 0, broken: Some(broken.clone()) })),
            "fail: states of n1 at 1ns, n2 at 1ns, n3 at 1ns: broken law"
        );
        assert!(judge(&|evidence| evidence.deliveries = None).starts_with("unknown"));
        assert!(judge(&|evidence| evidence.deliveries = Some(Evidence::default())).starts_with("vacuous"));
    }
}
