//! Whether a process and its descendants are at rest, as `/proc` tells.
//!
//! Invariant: a tree is called at rest only if there was an instant at which every thread of it was blocked. A thread that is blocked
//! in two looks, and was not given a processor in between, was blocked all the time between them; two complete looks, one after the
//! other, have the instant between them in common.
//!
//! What is deliberately absent: descendants whose parent ended before anybody looked. Nothing points to them, unless they wait for the
//! time of the simulator.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::launch::with_room;

/// A process and its descendants.
#[derive(Debug)]
pub(super) struct Tree {
    /// The process that it grows from, which is also the number of its group.
    root: u32,
    members: Vec<Member>,
    /// Whether the machine shows threads at all.
    visible: bool,
}

/// One process.
#[derive(Debug)]
struct Member {
    process: u32,
    /// The folder of its threads. Its number of links is theirs, plus two.
    folder: File,
    threads: Vec<Thread>,
}

/// One thread.
#[derive(Debug)]
struct Thread {
    process: u32,
    id: u32,
    /// What it waits for.
    call: File,
    /// How often it was given a processor.
    schedule: File,
    /// Its state, as a letter; opened when it is needed, since descriptors are scarce.
    state: OnceCell<File>,
    /// How often it had been given a processor when looked at last.
    runs: u64,
    /// How often, when the tree was at rest last.
    runs_at_rest: u64,
}

/// What a thread was seen to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Running,
    /// Blocked, unless its state says otherwise.
    Blocked,
    Gone,
}

impl Tree {
    /// The tree that grows from this process.
    pub(super) fn new(process: u32) -> Self {
        let members: Vec<Member> = Member::new(process).into_iter().collect();
        Self { root: process, visible: !members.is_empty(), members }
    }

    /// Whether the machine shows what threads do.
    pub(super) fn visible(&self) -> bool {
        self.visible
    }

    /// The processes of the tree, as seen last.
    pub(super) fn processes(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|member| member.process)
    }

    /// Whether this thread exists. Its process belongs to the tree, even if nothing points to it since its parent ended. So do those
    /// between it and the one that ended: a shell that waits for the sleeper is found through the sleeper.
    pub(super) fn has(&mut self, process: u32, thread: u32) -> bool {
        let mut next = Some(process);
        while let Some(found) = next.filter(|found| !self.processes().any(|member| member == *found)) {
            self.members.extend(Member::new(found));
            next = parent_within(found, self.root);
        }
        let of = self.members.iter().filter(|member| member.process == process);
        of.flat_map(|member| &member.threads).any(|known| known.id == thread)
    }

    /// Whether every process of the tree has mapped a file of this name.
    pub(super) fn all_map(&self, name: &str) -> bool {
        let maps = |process| fs::read_to_string(format!("/proc/{process}/maps"));
        self.processes().all(|process| maps(process).is_ok_and(|maps| maps.is_empty() || maps.contains(name)))
    }

    /// Whether there was an instant just now at which all threads of all processes of the tree were blocked.
    pub(super) fn at_rest(&mut self) -> bool {
        let blocked = |thread: &mut Thread| {
            // Counted before it is looked at: a thread that is counted while it runs, and seen when it does not any more, has run
            // in between, and the second count would be the same.
            let runs = thread.count_runs();
            match thread.look() {
                Seen::Blocked => runs.map(|runs| thread.runs = runs).ok_or(Seen::Running),
                other => Err(other),
            }
        };
        let seen = self.threads().try_for_each(blocked);
        match seen {
            Err(Seen::Gone) => {
                self.refresh();
                return false;
            }
            Err(_) => return false,
            Ok(()) => {}
        }
        if self.grown() {
            return false;
        }
        for thread in self.threads() {
            // A thread that was woken from another processor, and is not there yet, still shows its call; its state tells.
            let is_blocked = thread.look() == Seen::Blocked && thread.rests();
            if !is_blocked || thread.count_runs() != Some(thread.runs) {
                return false;
            }
        }
        for thread in self.threads() {
            thread.runs_at_rest = thread.runs;
        }
        true
    }

    fn threads(&mut self) -> impl Iterator<Item = &mut Thread> {
        self.members.iter_mut().flat_map(|member| &mut member.threads)
    }

    /// Looks for new threads and children, and for those that are gone. Says whether there were any.
    fn grown(&mut self) -> bool {
        if self.members.iter().any(Member::changed) {
            self.refresh();
            return true;
        }
        let mut born = Vec::new();
        for member in &self.members {
            // Only who ran can have started a process.
            for thread in member.threads.iter().filter(|thread| thread.runs != thread.runs_at_rest) {
                let path = format!("/proc/{}/task/{}/children", member.process, thread.id);
                let children = fs::read_to_string(path).unwrap_or_default();
                born.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
        }
        born.retain(|child| !self.members.iter().any(|member| member.process == *child));
        let new: Vec<Member> = born.into_iter().filter_map(|child| Member::new(child).ok()).collect();
        let grown = !new.is_empty();
        self.members.extend(new);
        grown
    }

    /// Lists the threads anew.
    fn refresh(&mut self) {
        self.members.retain_mut(|member| member.refresh().is_ok());
    }
}

impl Member {
    fn new(process: u32) -> io::Result<Self> {
        let folder = with_room(|| File::open(format!("/proc/{process}/task")))?;
        let mut member = Self { process, folder, threads: Vec::new() };
        member.refresh()?;
        Ok(member)
    }

    /// Whether the number of threads is another than it was.
    fn changed(&self) -> bool {
        self.folder.metadata().map_or(true, |folder| folder.nlink() != self.threads.len() as u64 + 2)
    }

    fn refresh(&mut self) -> io::Result<()> {
        let mut threads = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/task", self.process))? {
            let name = entry?.file_name();
            let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            // A thread that ended in between is none.
            threads.extend(Thread::new(self.process, thread));
        }
        self.threads = threads;
        if self.threads.is_empty() { Err(io::Error::from(io::ErrorKind::NotFound)) } else { Ok(()) }
    }
}

impl Thread {
    fn new(process: u32, thread: u32) -> io::Result<Self> {
        let open = |name: &str| with_room(|| File::open(format!("/proc/{process}/task/{thread}/{name}")));
        Ok(Self {
            process,
            id: thread,
            call: open("syscall").or_else(|_| open("stat"))?,
            schedule: open("schedstat").or_else(|_| open("status"))?,
            state: OnceCell::new(),
            runs: 0,
            runs_at_rest: u64::MAX,
        })
    }

    /// What it does: the kernel tells the call only of a thread that has really left its processor.
    fn look(&self) -> Seen {
        let mut bytes = [0; 128];
        match self.call.read_at(&mut bytes, 0) {
            Ok(0) => Seen::Gone,
            Ok(count) => match bytes[..count].split(|byte| *byte == b' ').next() {
                Some(call) if !call.starts_with(b"running") => Seen::Blocked,
                _ => Seen::Running,
            },
            Err(error) if error.raw_os_error() == Some(3) => Seen::Gone,
            // Where calls are hidden, states are all there is.
            Err(_) => Seen::Blocked,
        }
    }

    /// Whether its state is to sleep until something happens, to be stopped, or to be dead.
    fn rests(&self) -> bool {
        let mut bytes = [0; 128];
        let state = match self.state.get() {
            Some(state) => state,
            None => match with_room(|| File::open(format!("/proc/{}/task/{}/stat", self.process, self.id))) {
                Ok(state) => self.state.get_or_init(|| state),
                Err(_) => return false,
            },
        };
        let Ok(count) = state.read_at(&mut bytes, 0) else { return false };
        // The name of the program stands in parentheses and may contain some itself.
        let state = bytes[..count].iter().rposition(|byte| *byte == b')').and_then(|at| bytes.get(at + 2));
        state.is_some_and(|state| b"STtZX".contains(state))
    }

    /// How often it was given a processor.
    fn count_runs(&self) -> Option<u64> {
        let mut bytes = [0; 4096];
        let count = self.schedule.read_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(&bytes[..count]).ok()?;
        match text.split_whitespace().nth(2)?.parse::<u64>() {
            Ok(runs) => Some(runs),
            // The longer form, on kernels without statistics.
            Err(_) => text
                .lines()
                .filter(|line| line.contains("ctxt_switches"))
                .map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .sum(),
        }
    }
}

/// The parent of a process, if it belongs to this group.
fn parent_within(process: u32, group: u32) -> Option<u32> {
    // The name of the program stands in parentheses and may contain some itself. State, parent and group follow.
    let words = |process: u32| -> Option<(u32, u32)> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let mut words = stat[stat.rfind(')')?..].split_whitespace().skip(2);
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    let (parent, _) = words(process)?;
    (words(parent)?.1 == group).then_some(parent)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_looks_at_itself_runs() {
        let mut tree = Tree::new(std::process::id());
        assert!(tree.visible() && !tree.at_rest());
        assert!(tree.threads().all(|thread| thread.count_runs().is_some()));
    }
}
