//! Names of endpoints: `n1` is the first replica, `c1` the first client, and stores are called by their kind.

use super::{
    diagnostic::{Diagnostic, suggestion},
    file::At,
};
use crate::{
    kernel::ids::{Endpoints, NodeId, Role},
    services::KvKind,
};

/// The most names of a kind that are compared with a wrong one.
const CANDIDATES_MAX: u32 = 200;

/// The endpoints of a scenario by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    endpoints: Endpoints,
    stores: Vec<KvKind>,
}

/// Which endpoints may stand in a place of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Replicas only.
    Replicas,
    /// Replicas and stores.
    Nodes,
    /// Replicas, stores and clients.
    All,
}

impl Names {
    /// The names of these many replicas and clients, and of these stores.
    pub fn new(replicas: u32, stores: Vec<KvKind>, clients: u32) -> Self {
        let services = stores.len() as u32;
        Self { endpoints: Endpoints { replicas, services, clients }, stores }
    }

    /// How many endpoints of each kind there are.
    pub fn endpoints(&self) -> Endpoints {
        self.endpoints
    }

    /// The stores, in the order of their numbers.
    pub fn stores(&self) -> &[KvKind] {
        &self.stores
    }

    /// The endpoint of a store.
    pub fn store(&self, kind: KvKind) -> Option<NodeId> {
        let index = self.stores.iter().position(|store| *store == kind)?;
        Some(self.endpoints.service(index as u32))
    }

    /// The name of an endpoint.
    pub fn name(&self, node: NodeId) -> String {
        match self.endpoints.role(node) {
            Role::Service(index) => match self.stores.get(index as usize) {
                Some(kind) => kind.name().to_owned(),
                None => Role::Service(index).to_string(),
            },
            role => role.to_string(),
        }
    }

    /// The endpoint with this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let number = |text: &str, count: u32| {
            let canonical = !text.starts_with(['0', '+']);
            text.parse::<u32>().ok().filter(|number| canonical && (1..=count).contains(number)).map(|number| number - 1)
        };
        if let Some(index) = name.strip_prefix('n').and_then(|text| number(text, self.endpoints.replicas)) {
            return Some(NodeId(index));
        }
        if let Some(index) = name.strip_prefix('c').and_then(|text| number(text, self.endpoints.clients)) {
            return Some(self.endpoints.client(index));
        }
        let kind = KvKind::ALL.into_iter().find(|kind| kind.name() == name)?;
        self.store(kind)
    }

    /// The endpoint that a scenario names in a place that takes `accepted`.
    pub fn resolve(&self, name: &At<String>, accepted: Accepted) -> Result<NodeId, Diagnostic> {
        let text = name.value.as_str();
        let unknown = |message: String, help: String| {
            Diagnostic::new("scenario::unknown-name", message).at(name.span.clone(), "no such endpoint").help(help)
        };
        let Some(node) = self.find(text) else {
            if KvKind::ALL.iter().any(|kind| kind.name() == text) {
                let help = format!("there is a {text} when a system has `store = \"{text}\"`");
                return Err(unknown(format!("there is no `{text}`: no system uses it"), help));
            }
            return Err(unknown(format!("there is no endpoint `{text}`"), self.advice(text, accepted)));
        };
        let fits = match self.endpoints.role(node) {
            Role::Replica(_) => true,
            Role::Service(_) => accepted != Accepted::Replicas,
            Role::Client(_) => accepted == Accepted::All,
        };
        if fits {
            return Ok(node);
        }
        let (message, help) = match accepted {
            Accepted::Replicas => (format!("`{text}` is not a replica"), self.overview(accepted)),
            _ => (format!("`{text}` is a client"), "name replicas or stores here".to_owned()),
        };
        Err(Diagnostic::new("scenario::unknown-name", message).at(name.span.clone(), "not possible here").help(help))
    }

    /// The nearest name, or all of them in short.
    fn advice(&self, wrong: &str, accepted: Accepted) -> String {
        let Endpoints { replicas, clients, .. } = self.endpoints;
        let is_number = |prefix| wrong.strip_prefix(prefix).is_some_and(|rest: &str| rest.parse::<u64>().is_ok());
        if is_number('n') {
            return format!("the replicas are n1 to n{replicas}");
        }
        if is_number('c') && accepted == Accepted::All {
            return format!("the clients are c1 to c{clients}");
        }
        let mut names: Vec<String> = Vec::new();
        if accepted != Accepted::Replicas {
            names.extend(self.stores.iter().map(|kind| kind.name().to_owned()));
        }
        names.extend((0..replicas.min(CANDIDATES_MAX)).map(|index| Role::Replica(index).to_string()));
        match suggestion(wrong, "endpoints", names.iter().map(String::as_str)) {
            near if near.starts_with("did you mean") => near,
            _ => self.overview(accepted),
        }
    }

    /// All names in short.
    fn overview(&self, accepted: Accepted) -> String {
        let Endpoints { replicas, clients, .. } = self.endpoints;
        let mut kinds = vec![format!("the replicas are n1 to n{replicas}")];
        if accepted != Accepted::Replicas && !self.stores.is_empty() {
            let stores: Vec<&str> = self.stores.iter().map(|kind| kind.name()).collect();
            kinds.push(format!("the stores {}", stores.join(", ")));
        }
        if accepted == Accepted::All {
            kinds.push(format!("the clients c1 to c{clients}"));
        }
        kinds.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(5, vec![KvKind::Lin, KvKind::Lww], 10)
    }

    #[test]
    fn names_and_endpoints_are_one_to_one() {
        let names = names();
        for node in (0..names.endpoints().total()).map(NodeId) {
            assert_eq!(names.find(&names.name(node)), Some(node));
        }
        assert_eq!(names.name(NodeId(6)), "lww-kv");
        for wrong in ["n0", "n6", "n01", "n+1", "n", "", "c11", "s1", "seq-kv", "N1", "n99999999999999999999"] {
            assert_eq!(names.find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wrong_names_get_advice() {
        let advice = |name: &str, accepted| {
            let error = names().resolve(&At { span: 0..1, value: name.to_owned() }, accepted).expect_err("wrong");
            format!("{} / {}", error.message, error.help.unwrap_or_default())
        };
        assert_eq!(advice("n7", Accepted::All), "there is no endpoint `n7` / the replicas are n1 to n5");
        assert_eq!(advice("c70", Accepted::All), "there is no endpoint `c70` / the clients are c1 to c10");
        assert_eq!(advice("lin-vk", Accepted::All), "there is no endpoint `lin-vk` / did you mean `lin-kv`?");
        assert_eq!(advice("c1", Accepted::Nodes), "`c1` is a client / name replicas or stores here");
        assert_eq!(advice("lin-kv", Accepted::Replicas), "`lin-kv` is not a replica / the replicas are n1 to n5");
        assert!(advice("seq-kv", Accepted::All).starts_with("there is no `seq-kv`: no system uses it"));
        assert!(
            advice("berlin", Accepted::All).ends_with("n1 to n5, the stores lin-kv, lww-kv, the clients c1 to c10")
        );
    }
}
