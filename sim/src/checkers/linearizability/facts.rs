//! Facts: who demands what of the state, and who can bring it about.
//!
//! Invariant: the tables say what could be, never what is; they are computed once from classes and know no state. So what
//! follows from them holds in every state of the search.
//!
//! What is deliberately absent: counting. That two calls need one and the same write, and only one can have it, is left to
//! the search.

use super::{
    intern::Interner,
    model::{Insight, Model},
    problem::{Class, Duty, Options},
};

/// Who demands, makes and helps which fact.
pub(super) struct Facts<M: Model> {
    known: Interner<M::Fact>,
    /// Facts that a class needs in order to be right, by class.
    pub needs: Vec<Vec<u32>>,
    /// Facts that a class can bring about, by class.
    pub makes: Vec<Vec<u32>>,
    /// Facts that a class can help, by class.
    pub helps: Vec<Vec<u32>>,
    /// Duties that need a fact, by fact, the first deadline first.
    pub demanders: Vec<Vec<u32>>,
    /// Options that have no effect without a fact, by fact.
    pub observers: Vec<Vec<u32>>,
    /// Duties that can bring a fact about, by fact, the first deadline first.
    pub makers: Vec<Vec<u32>>,
    /// Options that can, by fact.
    pub option_makers: Vec<Vec<u32>>,
}

impl<M: Model> Facts<M> {
    /// The facts that duties demand.
    pub(super) fn new(model: &M, classes: &[Class<'_, M>], duties: &[Duty]) -> Self {
        let mut facts = Interner::default();
        let mut needs = vec![Vec::new(); classes.len()];
        for duty in duties {
            let class = &classes[duty.class as usize];
            let needs = &mut needs[duty.class as usize];
            if needs.is_empty() && class.ret.is_some() {
                needs.extend(model.demands(class.op, class.ret).into_iter().map(|fact| facts.number(fact).0));
            }
        }
        Self {
            known: facts,
            needs,
            makes: Vec::new(),
            helps: Vec::new(),
            demanders: Vec::new(),
            observers: Vec::new(),
            makers: Vec::new(),
            option_makers: Vec::new(),
        }
    }

    /// The options that can help somebody, directly or through each other.
    pub(super) fn admit(
        &mut self,
        model: &M,
        classes: &[Class<'_, M>],
        mut options: Vec<Options>,
        insight: Insight,
    ) -> Vec<Options> {
        let mut admitted = Vec::new();
        loop {
            let known = admitted.len();
            let (useful, rest): (Vec<_>, Vec<_>) = options.into_iter().partition(|option| {
                let op = classes[option.class as usize].op;
                insight == Insight::None || self.known.values().iter().any(|fact| model.could_help(op, fact))
            });
            for option in &useful {
                for fact in model.demands(classes[option.class as usize].op, None) {
                    self.known.number(fact);
                }
            }
            admitted.extend(useful);
            if admitted.len() == known {
                return admitted;
            }
            options = rest;
        }
    }

    /// Fills the tables.
    pub(super) fn connect(&mut self, model: &M, classes: &[Class<'_, M>], duties: &[Duty], options: &[Options]) {
        let count = self.known.len();
        let related = |class: &Class<'_, M>, relation: &dyn Fn(&M::Op, &M::Fact) -> bool| {
            let all = self.known.values().iter().enumerate();
            let related = all.filter(|(_, fact)| !class.is_read && relation(class.op, fact));
            related.map(|(fact, _)| fact as u32).collect::<Vec<_>>()
        };
        self.makes = classes.iter().map(|class| related(class, &|op, fact| model.could_make(op, fact))).collect();
        self.helps = classes.iter().map(|class| related(class, &|op, fact| model.could_help(op, fact))).collect();
        let invert = |members: &mut dyn Iterator<Item = (u32, &Vec<u32>)>| {
            let mut inverse = vec![Vec::new(); count];
            for (member, facts) in members {
                for &fact in facts {
                    inverse[fact as usize].push(member);
                }
            }
            inverse
        };
        let numbered = || duties.iter().zip(0..);
        self.demanders = invert(&mut numbered().map(|(duty, number)| (number, &self.needs[duty.class as usize])));
        self.makers = invert(&mut numbered().map(|(duty, number)| (number, &self.makes[duty.class as usize])));
        let numbered = || options.iter().zip(0..);
        self.option_makers =
            invert(&mut numbered().map(|(option, number)| (number, &self.makes[option.class as usize])));
        let mut observers = vec![Vec::new(); count];
        for (option, number) in numbered() {
            for fact in model.demands(classes[option.class as usize].op, None) {
                observers[self.known.number(fact).0 as usize].push(number);
            }
        }
        self.observers = observers;
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn values(&self) -> &[M::Fact] {
        self.known.values()
    }

    pub(super) fn fact(&self, number: u32) -> &M::Fact {
        self.known.value(number)
    }
}
