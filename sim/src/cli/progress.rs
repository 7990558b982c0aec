//! A progress bar for what takes more than a second.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Progress;

/// How often the bar is redrawn.
const TICK: Duration = Duration::from_millis(100);
/// After how many ticks it appears.
const PATIENCE_TICKS: u32 = 10;

/// Does `work` under a progress bar over `total_ns` virtual nanoseconds, which appears after a second if standard error is
/// a terminal.
pub(super) fn shown<T>(wanted: bool, total_ns: u64, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    if !wanted || !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        return work(&progress);
    }
    let finished = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&progress, &finished, total_ns));
        // The watcher must end even when the work panics, or the scope would wait for it for ever.
        let _ends = Ends { finished: &finished, watcher: watcher.thread().clone() };
        work(&progress)
    })
}

struct Ends<'a> {
    finished: &'a AtomicBool,
    watcher: thread::Thread,
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.watcher.unpark();
    }
}

fn watch(progress: &Progress, finished: &AtomicBool, total_ns: u64) {
    let mut bar = None;
    for tick in 0_u32.. {
        if finished.load(Ordering::Acquire) {
            break;
        }
        if tick >= PATIENCE_TICKS {
            let bar = bar.get_or_insert_with(|| new_bar(total_ns));
            bar.set_position(progress.done_ns() / 1_000_000);
        }
        thread::park_timeout(TICK);
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn new_bar(total_ns: u64) -> ProgressBar {
    let bar = ProgressBar::new(total_ns / 1_000_000);
    let template = "{bar:40} {percent:>3} % of virtual time, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
