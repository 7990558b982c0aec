//! One running program: steps of an interpreter that stops wherever the program waits.
//!
//! Invariant: between steps the program waits in a call, or has not begun, or has ended. In a step its clock first passes
//! through the instants it waits for, then it stands at the instant of the step.
//!
//! Example: a program that sleeps for a second and writes `tick`, over and over, stepped at 3.5 s writes three lines and wants to
//! run next at 4 s.
//!
//! What is deliberately absent: a limit in real time. Fuel ends what would not end by itself.

use std::fmt;

use wasmi::{Error, ExternType, Func, ResumableCall, ResumableCallHostTrap, Store, TrapCode, Val};

use super::super::{Ending, Program, Step, TimeSource};
use super::imports::{self, Suspended};
use super::system::System;
use super::{Compiled, WasiSpec};
use crate::kernel::time::Time;

/// A program in an interpreter.
pub struct WasiProgram {
    name: String,
    fuel_per_step: u64,
    /// The program with its outside; there is none if it could not be started.
    store: Option<Store<System>>,
    state: State,
}

/// Where a program stands between steps.
enum State {
    /// It has not begun.
    Ready(Func),
    /// It waits in a call.
    Waiting(Box<ResumableCallHostTrap>),
    /// It takes no more input.
    Ended(Ending),
}

impl WasiProgram {
    /// Loads a program, which begins with its first step. One that cannot be loaded tells so in its first step.
    pub fn load(spec: &WasiSpec) -> Self {
        let (store, state) = match spec.code.compile().and_then(|compiled| instantiate(spec, &compiled)) {
            Ok((store, start)) => (Some(store), State::Ready(start)),
            Err(reason) => (None, State::Ended(Ending::NotStarted(reason))),
        };
        Self { name: spec.name.clone(), fuel_per_step: spec.fuel_per_step, store, state }
    }

    /// Ends its input: from the next step on, it reads the end of the file after what it was given.
    pub fn end_input(&mut self) {
        if let Some(store) = &mut self.store {
            store.data_mut().input_ended = true;
        }
    }

    /// When it next wants to run by itself.
    fn deadline(&self) -> Option<Time> {
        self.store.as_ref()?.data().wait.as_ref()?.deadline()
    }

    /// Lets it run until it waits or ends, if what it waits for has come by this instant.
    fn go_on(&mut self, now: Time) {
        let Some(store) = &mut self.store else { return };
        store.data_mut().now = now;
        let state = std::mem::replace(&mut self.state, State::Ended(Ending::NeverQuiet));
        self.state = match state {
            State::Ready(start) => State::after(start.call_resumable(&mut *store, &[], &mut [])),
            State::Waiting(call) => State::resume(call, store),
            State::Ended(ending) => State::Ended(ending),
        };
        if let State::Ended(_) = self.state {
            store.data_mut().wait = None;
            store.data_mut().output.end();
        }
    }
}

impl State {
    /// Lets a waiting program go on, if its call can be answered.
    fn resume(call: Box<ResumableCallHostTrap>, store: &mut Store<System>) -> Self {
        let Some(wait) = store.data_mut().wait.take() else { return Self::Waiting(call) };
        match imports::complete(&mut *store, wait) {
            Ok(None) => Self::Waiting(call),
            Ok(Some(errno)) => Self::after(call.resume(store, &[Val::I32(errno)], &mut [])),
            Err(error) => Self::Ended(ending(&error)),
        }
    }

    /// What a piece of running led to.
    fn after(outcome: Result<ResumableCall, Error>) -> Self {
        match outcome {
            Ok(ResumableCall::Finished) => Self::Ended(Ending::Exited(0)),
            Ok(ResumableCall::OutOfFuel(_)) => Self::Ended(Ending::NeverQuiet),
            Ok(ResumableCall::HostTrap(call)) if call.host_error().downcast_ref::<Suspended>().is_some() => {
                Self::Waiting(Box::new(call))
            }
            Ok(ResumableCall::HostTrap(call)) => Self::Ended(ending(call.host_error())),
            Err(error) => Self::Ended(ending(&error)),
        }
    }
}

impl Program for WasiProgram {
    fn step(&mut self, now: Time, inputs: &[&[u8]]) -> Step {
        if let Some(store) = &mut self.store {
            store.set_fuel(self.fuel_per_step).expect("the interpreter meters fuel");
        }
        while let Some(due) = self.deadline().filter(|&due| due <= now) {
            self.go_on(due);
        }
        if let State::Ready(_) = self.state {
            self.go_on(now);
        }
        if let Some(store) = &mut self.store {
            for input in inputs {
                let system = store.data_mut();
                system.input.extend(*input);
                system.input.push_back(b'\n');
            }
        }
        self.go_on(now);
        Step {
            lines: self.store.as_mut().map_or_else(Vec::new, |store| store.data_mut().output.take()),
            deadline: self.deadline(),
            ended: if let State::Ended(ending) = &self.state { Some(ending.clone()) } else { None },
        }
    }

    fn time_source(&self) -> TimeSource {
        TimeSource::Interpreter
    }

    fn last_words(&self) -> Vec<String> {
        self.store.as_ref().map_or_else(Vec::new, |store| store.data().errors.lines())
    }
}

impl fmt::Debug for WasiProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Ready(_) => "ready".to_owned(),
            State::Waiting(_) => {
                format!("waits: {:?}", self.store.as_ref().and_then(|store| store.data().wait.as_ref()))
            }
            State::Ended(ending) => ending.to_string(),
        };
        write!(f, "WasiProgram({}, {state})", self.name)
    }
}

/// Links a module with its outside.
fn instantiate(spec: &WasiSpec, compiled: &Compiled) -> Result<(Store<System>, Func), String> {
    let start = compiled.module.get_export("_start").and_then(|export| match export {
        ExternType::Func(signature) => Some(signature),
        _ => None,
    });
    if !start.is_some_and(|signature| signature.params().is_empty() && signature.results().is_empty()) {
        return Err("no program: it has no function `_start` without parameters and results".to_owned());
    }
    imports::check(&compiled.module)?;
    let linker = imports::linker(&compiled.engine).map_err(|error| error.to_string())?;
    let mut store = Store::new(&compiled.engine, System::new(spec));
    store.limiter(|system| &mut system.limits);
    store.set_fuel(spec.fuel_per_step).map_err(|error| error.to_string())?;
    let instance = linker.instantiate_and_start(&mut store, &compiled.module).map_err(|error| error.to_string())?;
    let start = instance.get_func(&store, "_start").ok_or("its `_start` is no function")?;
    Ok((store, start))
}

/// The end that an error is.
fn ending(error: &Error) -> Ending {
    match (error.i32_exit_status(), error.as_trap_code()) {
        (Some(code), _) => Ending::Exited(code),
        (None, Some(TrapCode::OutOfFuel)) => Ending::NeverQuiet,
        _ => Ending::Trapped(error.to_string()),
    }
}
