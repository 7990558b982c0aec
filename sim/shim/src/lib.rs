//! A library that is preloaded into a foreign process and answers for the machine: clocks, sleeps, timeouts, entropy.
//!
//! The simulator hands a file over in the environment (`SIM_CLOCK`). It holds the virtual time, a seed, and a table of waits. The
//! constructor maps it. From then on clocks show what the file says. A wait with a timeout writes its deadline into the table and
//! waits without one; when the simulator has moved the clock there, it marks the entry and writes a byte into a pipe of the process,
//! on which one thread of this library waits, and that thread wakes the waiter. So time passes only when the simulator says so.
//!
//! Invariant: without `SIM_CLOCK`, or with a file that is not understood, every function does what the C library does.
//!
//! Example: `SIM_CLOCK=/proc/123/fd/9 LD_PRELOAD=/proc/123/fd/8 python3 node.py`.
//!
//! What is deliberately absent: files (but for devices that give entropy), sockets and threads. What a process does there is its own affair. Also absent is whatever does
//! not go through the C library: static programs, and instructions that read a counter of the processor.

#![cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod attach;
mod clocks;
mod devices;
mod entropy;
mod libc;
mod locks;
mod polls;
mod sleeps;
mod syscalls;
mod table;
mod timers;
mod waits;
