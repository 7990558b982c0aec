//! Starting a process, and ending all of it.
//!
//! Invariant: whoever was started is ended: with the value that stands for it, whatever way that goes; and with the simulator itself,
//! if the process takes its time from it.
//!
//! What is deliberately absent: containers. A process that wants to leave its group and its parents can.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Mutex, OnceLock};
use std::thread;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, getrlimit, kill_process, kill_process_group, setrlimit,
    waitid,
};

use super::super::Ending;
use super::ProcessSpec;
use super::clock;

/// What every process is told, unless it is told otherwise. Each takes a choice away from a process that would differ between runs.
///
/// | variable | why |
/// |---|---|
/// | `PYTHONHASHSEED` | the order of sets and of the names of modules |
/// | `PYTHONUNBUFFERED` | lines leave when they are written |
/// | `TOKIO_WORKER_THREADS`, `GOMAXPROCS`, `UV_THREADPOOL_SIZE` | threads of one process do not race |
/// | `UV_USE_IO_URING` | the kernel does not work for a process behind its back |
/// | `OPENSSL_ia32cap` | no entropy and no time from instructions of the processor |
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("PYTHONHASHSEED", "0"),
    ("PYTHONUNBUFFERED", "1"),
    ("TOKIO_WORKER_THREADS", "1"),
    ("GOMAXPROCS", "1"),
    ("UV_USE_IO_URING", "0"),
    ("UV_THREADPOOL_SIZE", "1"),
    // Without the time stamp counter (bit 4), RDRAND (62), and RDSEED (18 of the second word).
    ("OPENSSL_ia32cap", "~0x4000000000000010:~0x40000"),
];

/// Starts what the specification says, with pipes, in a group of its own.
pub(super) fn start(spec: &ProcessSpec, clock: Option<&clock::ClockFile>) -> io::Result<Child> {
    let Some((program, arguments)) = spec.command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no command"));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.envs(ENVIRONMENT.iter().copied());
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &spec.directory {
        command.current_dir(directory);
    }
    if let (Some(clock), Some(library)) = (clock, clock::library()) {
        let others = spec.env.iter().rfind(|(name, _)| name == "LD_PRELOAD").map(|(_, value)| value.clone());
        let others = others.or_else(|| std::env::var("LD_PRELOAD").ok()).filter(|others| !others.is_empty());
        command.env("LD_PRELOAD", others.map_or_else(|| library.clone(), |others| format!("{library}:{others}")));
        command.env("SIM_CLOCK", clock.path());
    }
    launch(command)
}

/// What the thread that starts processes does.
type Job = Box<dyn FnOnce() + Send>;

/// Starts a command from a thread that lives as long as the simulator: the kernel ends a process that asked for it not when the
/// process that started it ends, but when the thread does.
fn launch(command: Command) -> io::Result<Child> {
    static LAUNCHER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let launcher = LAUNCHER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        let run = move || jobs.into_iter().for_each(|job| job());
        thread::Builder::new().name("launcher".to_owned()).spawn(run).ok().map(|_| sender)
    });
    let gone = || io::Error::other("no thread to start processes from");
    let (answer, started) = sync_channel(1);
    let command = Mutex::new(command);
    let spawn = move || with_room(|| command.lock().map_err(|_| gone())?.spawn());
    let job = move || drop(answer.send(spawn()));
    launcher.as_ref().ok_or_else(gone)?.send(Box::new(job)).map_err(|_| gone())?;
    started.recv().map_err(|_| gone())?
}

/// Opens something. If there are too many open files, allows more of them, as far as that is allowed, and tries again.
pub(super) fn with_room<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let first = open();
    match &first {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            let limit = getrlimit(Resource::Nofile);
            if limit.current == limit.maximum
                || setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_err()
            {
                return first;
            }
            open()
        }
        _ => first,
    }
}

/// Whether it has ended; it stays to be reaped, so that its number stays its own.
pub(super) fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}

/// Ends its group and its descendants, and says how it ended. To be called once.
pub(super) fn end(child: &mut Child, descendants: impl Iterator<Item = u32>) -> Ending {
    // It has not been reaped, so its number is still its own.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    for descendant in descendants {
        if let Some(pid) = i32::try_from(descendant).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    match child.wait() {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, signal) => Ending::Killed(signal.unwrap_or_default()),
        },
        Err(error) => Ending::NotStarted(error.to_string()),
    }
}
