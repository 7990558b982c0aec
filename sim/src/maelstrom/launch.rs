//! Launching the programs of a scenario: as processes, or in an interpreter.
//!
//! The first word `sim` is this program, wherever it lies. A command whose first word ends in `.wasm` is a WebAssembly module; everything else is started as a process. Every start of every
//! replica has a seed of its own for its entropy, which is a function of the run's.
//!
//! What is deliberately absent: waiting. Programs are ready when they say so.

use std::time::Duration;

use super::{
    config::{ExternalConfig, TimeChoice},
    fleet::Launch,
};
use crate::{
    kernel::{
        draws::Stream,
        ids::{NodeId, Role},
        time::Time,
    },
    programs::{
        Program,
        process::{Clocks, Process, ProcessSpec},
        wasi::{Code, WasiProgram, WasiSpec},
    },
};

/// How the names of WebAssembly modules end.
const MODULE: &str = ".wasm";

/// Starts the command of a scenario.
#[derive(Debug)]
pub struct Launcher {
    config: ExternalConfig,
    /// The module, compiled once for all replicas, if it is one and can be.
    module: Option<Code>,
    seeds: Stream,
}

impl Launcher {
    /// Starts what `config` says, under the seed of a run.
    pub fn new(config: ExternalConfig, seed: u64) -> Self {
        let path = config.command.first().filter(|word| word.ends_with(MODULE));
        let module = path.and_then(|path| Code::File(path.into()).compile().ok()).map(Code::Compiled);
        Self { config, module, seeds: Stream::new(seed, "program") }
    }
}

impl Launch for Launcher {
    fn launch(&self, node: NodeId, incarnation: u32, now: Time) -> Box<dyn Program> {
        let name = Role::Replica(node.0).to_string();
        let seed = self.seeds.word(u64::from(node.0), u64::from(incarnation));
        let ExternalConfig { command, env, .. } = &self.config;
        if let Some(path) = command.first().filter(|word| word.ends_with(MODULE)) {
            let mut spec = WasiSpec::new(&name, self.module.clone().unwrap_or_else(|| Code::File(path.into())));
            spec.args = command[1..].to_vec();
            spec.env.clone_from(env);
            spec.seed = seed;
            return Box::new(WasiProgram::load(&spec));
        }
        let mut env = env.clone();
        let mut command = command.clone();
        if let (Some("sim"), Ok(path)) = (command.first().map(String::as_str), std::env::current_exe()) {
            command[0] = path.to_string_lossy().into_owned();
        }
        env.push(("SIM_INCARNATION".to_owned(), incarnation.to_string()));
        let spec = ProcessSpec {
            name,
            env,
            seed,
            started: now,
            clocks: match self.config.time {
                TimeChoice::Auto => Clocks::Auto,
                TimeChoice::Shim => Clocks::Shim,
                TimeChoice::Messages => Clocks::Messages,
                TimeChoice::Wall => Clocks::Wall,
            },
            start_limit: Duration::from_nanos(self.config.start_ns_max),
            step_limit: Duration::from_nanos(self.config.step_ns_max),
            ..ProcessSpec::new(command)
        };
        Box::new(Process::spawn(&spec))
    }
}
