//! The functions that a program may import: all of `wasi_snapshot_preview1`, so that every module links.
//!
//! Invariant: the table names each function of preview 1 once, with its parameters. A call that has to wait stops the interpreter;
//! [`complete`] is tried at each occasion, and lets it go on once the call can be answered.
//!
//! Example: `("fd_close", "i", io::fd_close)` takes one 32-bit number and answers with an error number, as all but `proc_exit` do.
//!
//! What is deliberately absent: files and sockets, whose functions exist and refuse.

use std::fmt;

use wasmi::{
    AsContextMut, Caller, Engine, Error, Extern, FuncType, Linker, Module, Val, ValType,
    errors::{HostError, LinkerError},
};

use super::guest::{Errno, Guest, Reply};
use super::system::{System, Wait};
use super::{clock, io, poll};

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a>(&'a [Val]);

impl Arguments<'_> {
    /// The argument at this place, as 32 bits.
    pub(super) fn u32(self, place: usize) -> u32 {
        self.0.get(place).and_then(Val::i32).unwrap_or_default() as u32
    }
}

/// The function behind an import.
type Import = fn(&mut Guest<'_>, Arguments<'_>) -> Result<Reply, Errno>;

/// Where all functions are imported from.
const MODULE: &str = "wasi_snapshot_preview1";

/// All functions of preview 1 with their parameters: `i` has 32 bits, `I` has 64.
const IMPORTS: &[(&str, &str, Import)] = &[
    ("args_get", "ii", io::args_get),
    ("args_sizes_get", "ii", io::args_sizes_get),
    ("clock_res_get", "ii", clock::clock_res_get),
    ("clock_time_get", "iIi", clock::clock_time_get),
    ("environ_get", "ii", io::environ_get),
    ("environ_sizes_get", "ii", io::environ_sizes_get),
    ("fd_advise", "iIIi", absent),
    ("fd_allocate", "iII", absent),
    ("fd_close", "i", io::fd_close),
    ("fd_datasync", "i", absent),
    ("fd_fdstat_get", "ii", io::fd_fdstat_get),
    ("fd_fdstat_set_flags", "ii", io::fd_fdstat_set_flags),
    ("fd_fdstat_set_rights", "iII", absent),
    ("fd_filestat_get", "ii", io::fd_filestat_get),
    ("fd_filestat_set_size", "iI", absent),
    ("fd_filestat_set_times", "iIIi", absent),
    ("fd_pread", "iiiIi", io::fd_seek),
    ("fd_prestat_dir_name", "iii", io::fd_prestat_get),
    ("fd_prestat_get", "ii", io::fd_prestat_get),
    ("fd_pwrite", "iiiIi", io::fd_seek),
    ("fd_read", "iiii", io::fd_read),
    ("fd_readdir", "iiiIi", absent),
    ("fd_renumber", "ii", absent),
    ("fd_seek", "iIii", io::fd_seek),
    ("fd_sync", "i", absent),
    ("fd_tell", "ii", io::fd_seek),
    ("fd_write", "iiii", io::fd_write),
    ("path_create_directory", "iii", forbidden),
    ("path_filestat_get", "iiiii", forbidden),
    ("path_filestat_set_times", "iiiiIIi", forbidden),
    ("path_link", "iiiiiii", forbidden),
    ("path_open", "iiiiiIIii", forbidden),
    ("path_readlink", "iiiiii", forbidden),
    ("path_remove_directory", "iii", forbidden),
    ("path_rename", "iiiiii", forbidden),
    ("path_symlink", "iiiii", forbidden),
    ("path_unlink_file", "iii", forbidden),
    ("poll_oneoff", "iiii", poll::poll_oneoff),
    ("proc_exit", "i", |_, arguments| Ok(Reply::Exit(arguments.u32(0) as i32))),
    ("proc_raise", "i", absent),
    ("random_get", "ii", clock::random_get),
    // There is nobody to yield to.
    ("sched_yield", "", |_, _| Ok(Reply::Done)),
    ("sock_accept", "iii", absent),
    ("sock_recv", "iiiiii", absent),
    ("sock_send", "iiiii", absent),
    ("sock_shutdown", "ii", absent),
];

fn absent(_: &mut Guest<'_>, _: Arguments<'_>) -> Result<Reply, Errno> {
    Err(Errno::Nosys)
}

fn forbidden(_: &mut Guest<'_>, _: Arguments<'_>) -> Result<Reply, Errno> {
    Err(Errno::Notcapable)
}

/// Stops the interpreter in a call that has to wait.
#[derive(Debug)]
pub(super) struct Suspended;

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it waits before it has begun")
    }
}

impl HostError for Suspended {}

/// Parameters and results of a function of the table.
fn signature(name: &str, parameters: &str) -> FuncType {
    let kind = |letter| if letter == b'i' { ValType::I32 } else { ValType::I64 };
    let results: &[ValType] = if name == "proc_exit" { &[] } else { &[ValType::I32] };
    FuncType::new(parameters.bytes().map(kind), results.iter().copied())
}

/// Whether all that a module imports is in the table; if not, what is not.
pub(super) fn check(module: &Module) -> Result<(), String> {
    for import in module.imports() {
        let name = import.name();
        let known = IMPORTS.iter().find(|known| import.module() == MODULE && known.0 == name);
        let Some(&(_, parameters, _)) = known else {
            return Err(format!("it imports `{}.{name}`, which is no function of `{MODULE}`", import.module()));
        };
        if import.ty().func() != Some(&signature(name, parameters)) {
            return Err(format!("it imports `{MODULE}.{name}` with other parameters than this function has"));
        }
    }
    Ok(())
}

/// All imports, to be linked with a module.
pub(super) fn linker(engine: &Engine) -> Result<Linker<System>, LinkerError> {
    let mut linker = Linker::new(engine);
    for &(name, parameters, import) in IMPORTS {
        let signature = signature(name, parameters);
        linker.func_new(MODULE, name, signature, move |mut caller, arguments, results| {
            let errno = call(&mut caller, |guest| import(guest, Arguments(arguments)))?;
            if let [result] = results {
                *result = Val::I32(errno);
            }
            Ok(())
        })?;
    }
    Ok(linker)
}

/// The names of all functions with their parameters.
#[cfg(test)]
pub(super) fn signatures() -> impl Iterator<Item = (&'static str, &'static str)> {
    IMPORTS.iter().map(|&(name, parameters, _)| (name, parameters))
}

/// Answers a call that had to wait; `None` while it has to.
pub(super) fn complete(mut store: impl AsContextMut<Data = System>, wait: Wait) -> Result<Option<i32>, Error> {
    let Some(memory) = store.as_context().data().memory else { return Ok(Some(Errno::Fault as i32)) };
    let outcome = answer(&mut store, memory, |guest| match wait {
        Wait::Read { buffers, count, read } => io::read(guest, buffers, count, read),
        Wait::Poll(poll) => poll::poll(guest, poll),
    });
    match outcome {
        Ok(errno) => Ok(Some(errno)),
        Err(error) if error.downcast_ref::<Suspended>().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a call that a program asked for.
fn call(
    caller: &mut Caller<'_, System>,
    import: impl FnOnce(&mut Guest<'_>) -> Result<Reply, Errno>,
) -> Result<i32, Error> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        None => match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => *caller.data_mut().memory.insert(memory),
            _ => return Err(Error::new("it calls the system, but exports no memory")),
        },
    };
    answer(caller, memory, import)
}

/// Makes a call, takes the fuel for it, and stops the interpreter if it has to wait or to exit.
fn answer(
    mut store: impl AsContextMut<Data = System>,
    memory: wasmi::Memory,
    import: impl FnOnce(&mut Guest<'_>) -> Result<Reply, Errno>,
) -> Result<i32, Error> {
    let mut context = store.as_context_mut();
    let (bytes, system) = memory.data_and_store_mut(&mut context);
    let mut guest = Guest::new(bytes, system);
    let reply = import(&mut guest);
    let fuel = guest.work;
    if let Ok(Reply::Wait(wait)) = reply {
        // A wait is paid for when it is over.
        context.data_mut().wait = Some(wait);
        return Err(Error::host(Suspended));
    }
    let left = context.get_fuel()?.checked_sub(fuel).ok_or(wasmi::TrapCode::OutOfFuel)?;
    context.set_fuel(left)?;
    match reply {
        Ok(Reply::Exit(code)) => Err(Error::i32_exit(code)),
        Ok(_) => Ok(0),
        Err(errno) => Ok(errno as i32),
    }
}
