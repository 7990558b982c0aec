//! The problem: calls as the search wants them.
//!
//! A call that must take effect is a *duty*; it has a place in the chain of its process. Calls of unknown fate are
//! *options*. Equal calls are of one *class*, and the options of a class are interchangeable once they are there, since
//! what is there stays there. *Facts* are what duties demand of the state ([`Model::demands`]), with those who can bring
//! them about.
//!
//! What cannot matter is left out: reads that say nothing, and options that help no fact that anybody demands.
//!
//! What is deliberately absent: any state but the first.

use std::collections::BTreeMap;

use super::{program::Program, table::Numbers};
use crate::checkers::linearizability::{Call, Insight, Model, Touches};

/// Equal calls.
pub(super) struct Class<'a, M: Model> {
    pub op: &'a M::Op,
    pub ret: Option<&'a M::Ret>,
    pub is_read: bool,
    /// Facts that duties of the class need.
    pub needs: Vec<u32>,
    /// Facts that the class can bring about, ascending.
    pub makes: Vec<u32>,
    /// Groups of facts that it may put at risk, by number.
    pub near: Vec<u32>,
}

/// A call that must take effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Duty {
    pub call: u32,
    pub class: u32,
    pub chain: u32,
    /// Its place in the chain.
    pub at: u32,
}

/// Calls of unknown fate of one class.
pub(super) struct Group {
    pub class: u32,
    pub members: Vec<Member>,
}

/// A call that may take effect once its chain has come to `after`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub call: u32,
    pub chain: u32,
    pub after: u32,
}

/// Who has to do with a fact.
#[derive(Default)]
pub(super) struct Roles {
    /// The duties that need it, by chain and place.
    pub demanders: Vec<u32>,
    /// The duties that can bring it about, by chain and place.
    pub makers: Vec<u32>,
    /// The groups of options that can.
    pub options: Vec<u32>,
}

/// Calls, ready to be searched.
pub(super) struct Problem<'a, M: Model> {
    pub model: &'a M,
    pub insight: Insight,
    pub classes: Vec<Class<'a, M>>,
    /// Duties, one chain after the other.
    pub duties: Vec<Duty>,
    /// The duties of each chain.
    pub chains: Vec<Vec<u32>>,
    pub groups: Vec<Group>,
    pub facts: Vec<M::Fact>,
    pub roles: Vec<Roles>,
    /// Facts by what they are about.
    pub groups_of_facts: Vec<Vec<u32>>,
}

impl<'a, M: Model> Problem<'a, M> {
    /// The calls that are kept as they are, with the others set free: they may take effect at any time, or never.
    pub(super) fn new(
        model: &'a M,
        calls: &'a [Call<M::Op, M::Ret>],
        program: &Program,
        is_kept: &dyn Fn(usize) -> bool,
    ) -> Self {
        let mut classes = Classes { model, known: Vec::new(), numbers: Numbers::default() };
        let (mut duties, mut chains, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for (chain, own) in program.chains.iter().enumerate() {
            let mut kept = Vec::new();
            for &call in own {
                let (op, ret) = (&calls[call].op, calls[call].answer());
                if model.is_read(op, ret) && (ret.is_none() || !is_kept(call)) {
                    continue;
                }
                if is_kept(call) {
                    let (class, at) = (classes.number(op, ret), kept.len() as u32);
                    kept.push(duties.len() as u32);
                    duties.push(Duty { call: call as u32, class, chain: chain as u32, at });
                } else {
                    members.push(Member { call: call as u32, chain: chain as u32, after: 0 });
                }
            }
            chains.push(kept);
        }
        for loose in program.loose.iter().filter(|loose| !model.is_read(&calls[loose.call].op, None)) {
            let before = &program.chains[loose.chain][..loose.after];
            let own: &[u32] = &chains[loose.chain];
            let precede = |&&duty: &&u32| before.contains(&(duties[duty as usize].call as usize));
            let after = if is_kept(loose.call) { own.iter().filter(precede).count() as u32 } else { 0 };
            members.push(Member { call: loose.call as u32, chain: loose.chain as u32, after });
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut of_class: BTreeMap<u32, usize> = BTreeMap::new();
        for member in members {
            let class = classes.number(&calls[member.call as usize].op, None);
            let group = *of_class.entry(class).or_insert_with(|| {
                groups.push(Group { class, members: Vec::new() });
                groups.len() - 1
            });
            groups[group].members.push(member);
        }
        classes.finish(duties, chains, groups)
    }

    /// The most effort that the tables can take, in pairs of facts and classes.
    pub(super) fn weight(&self) -> u64 {
        (self.facts.len() + 1) as u64 * (self.classes.len() + 1) as u64
    }
}

struct Classes<'a, M: Model> {
    model: &'a M,
    known: Vec<Class<'a, M>>,
    numbers: Numbers<(&'a M::Op, Option<&'a M::Ret>)>,
}

impl<'a, M: Model> Classes<'a, M> {
    fn number(&mut self, op: &'a M::Op, ret: Option<&'a M::Ret>) -> u32 {
        let (number, is_new) = self.numbers.number((op, ret));
        if is_new {
            let is_read = self.model.is_read(op, ret);
            let (needs, makes, near) = (Vec::new(), Vec::new(), Vec::new());
            self.known.push(Class { op, ret, is_read, needs, makes, near });
        }
        number
    }

    fn finish(self, duties: Vec<Duty>, chains: Vec<Vec<u32>>, groups: Vec<Group>) -> Problem<'a, M> {
        let Self { model, known: mut classes, .. } = self;
        // A duty that may or may not have changed anything makes the state depend on more than its facts.
        let is_open = |duty: &Duty| {
            let class = &classes[duty.class as usize];
            class.ret.is_none() && !model.demands(class.op, None).is_empty()
        };
        let insight = if duties.iter().any(is_open) { Insight::None } else { model.insight() };
        let mut facts = Numbers::default();
        for duty in &duties {
            let class = &mut classes[duty.class as usize];
            if class.needs.is_empty() && class.ret.is_some() {
                class.needs = model.demands(class.op, class.ret).into_iter().map(|fact| facts.number(fact).0).collect();
            }
        }
        let groups = admit(model, &classes, groups, insight, &mut facts);
        let facts = facts.values().to_vec();
        let mut roles: Vec<Roles> = facts.iter().map(|_| Roles::default()).collect();
        for class in classes.iter_mut().filter(|class| !class.is_read) {
            let made = (0..).zip(&facts).filter(|(_, fact)| model.could_make(class.op, fact));
            class.makes = made.map(|(number, _)| number).collect();
        }
        for (number, duty) in (0..).zip(&duties) {
            let class = &classes[duty.class as usize];
            class.needs.iter().for_each(|&fact| roles[fact as usize].demanders.push(number));
            class.makes.iter().for_each(|&fact| roles[fact as usize].makers.push(number));
        }
        for (number, group) in (0..).zip(&groups) {
            let makes = &classes[group.class as usize].makes;
            for &fact in makes {
                roles[fact as usize].options.push(number);
            }
        }
        let groups_of_facts = neighbours(model, &mut classes, facts.len());
        Problem { model, insight, classes, duties, chains, groups, facts, roles, groups_of_facts }
    }
}

/// The options that can help somebody, directly or through each other.
fn admit<M: Model>(
    model: &M,
    classes: &[Class<'_, M>],
    mut groups: Vec<Group>,
    insight: Insight,
    facts: &mut Numbers<M::Fact>,
) -> Vec<Group> {
    let mut admitted = Vec::new();
    loop {
        let known = admitted.len();
        let (useful, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| {
            let op = classes[group.class as usize].op;
            insight == Insight::None || facts.values().iter().any(|fact| model.could_help(op, fact))
        });
        for group in &useful {
            for fact in model.demands(classes[group.class as usize].op, None) {
                facts.number(fact);
            }
        }
        admitted.extend(useful);
        if admitted.len() == known {
            return admitted;
        }
        groups = rest;
    }
}

/// Sorts facts by the keys of those who need them, and tells each class which of them are near.
fn neighbours<M: Model>(model: &M, classes: &mut [Class<'_, M>], facts: usize) -> Vec<Vec<u32>> {
    // The first group is of all facts, the second of those about everything.
    let mut groups: Vec<Vec<u32>> = vec![(0..facts as u32).collect(), Vec::new()];
    let mut of_key: BTreeMap<M::Key, u32> = BTreeMap::new();
    for class in &mut *classes {
        let Touches::Keys(keys) = model.touches(class.op) else {
            groups[1].extend(&class.needs);
            class.near = vec![0];
            continue;
        };
        class.near.push(1);
        for key in keys {
            let group = *of_key.entry(key).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() as u32 - 1
            });
            groups[group as usize].extend(&class.needs);
            class.near.push(group);
        }
    }
    for group in &mut groups {
        group.sort_unstable();
        group.dedup();
    }
    groups
}
