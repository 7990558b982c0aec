//! The standard streams, the arguments and the environment.
//!
//! Invariant: there are three descriptors, they behave like pipes, and no call can open another. A call that reads from an empty
//! standard input waits until a step brings some.
//!
//! Example: a node in Rust whose loop is `for line in stdin().lines()` waits in `fd_read` between any two steps.
//!
//! What is deliberately absent: files. A program that asks for its preopened folders learns that there are none.

use super::guest::{Errno, Guest, Reply};
use super::imports::Arguments;
use super::system::Wait;

/// Descriptors by their numbers.
const STDIN: u32 = 0;
const STDOUT: u32 = 1;

/// `fdflags.nonblock`
const NONBLOCK: u16 = 1 << 2;

/// `rights` of a stream: `fd_read` or `fd_write`, `fd_fdstat_set_flags`, `fd_filestat_get`, `poll_fd_readwrite`.
const RIGHTS_READ: u64 = 1 << 1 | RIGHTS_BOTH;
const RIGHTS_WRITE: u64 = 1 << 6 | RIGHTS_BOTH;
const RIGHTS_BOTH: u64 = 1 << 3 | 1 << 21 | 1 << 27;

/// The index of an open descriptor.
pub(super) fn opened(guest: &Guest<'_>, descriptor: u32) -> Result<usize, Errno> {
    let index = descriptor as usize;
    if guest.system.open.get(index) == Some(&true) { Ok(index) } else { Err(Errno::Badf) }
}

/// `fd_read(fd, *buffers, count, *read)`
pub(super) fn fd_read(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let descriptor = opened(guest, arguments.u32(0))?;
    if descriptor != STDIN as usize {
        return Err(Errno::Notcapable);
    }
    if guest.system.flags[descriptor] & NONBLOCK != 0 && !guest.system.can_read() {
        return Err(Errno::Again);
    }
    read(guest, arguments.u32(1), arguments.u32(2), arguments.u32(3))
}

/// Reads what is there; waits when nothing is.
pub(super) fn read(guest: &mut Guest<'_>, list: u32, count: u32, read: u32) -> Result<Reply, Errno> {
    let buffers = guest.buffers(list, count)?;
    let room = buffers.iter().map(|&(_, length)| u64::from(length)).sum::<u64>();
    if !guest.system.can_read() && room > 0 {
        return Ok(Reply::Wait(Wait::Read { buffers: list, count, read }));
    }
    let mut total = 0;
    for (at, length) in buffers {
        let length = length.min(guest.system.input.len() as u32);
        let (bytes, system) = guest.bytes_and_system(at, length)?;
        for (byte, given) in bytes.iter_mut().zip(system.input.drain(..length as usize)) {
            *byte = given;
        }
        total += length;
    }
    guest.set_u32(read, total)?;
    Ok(Reply::Done)
}

/// `fd_write(fd, *buffers, count, *written)`
pub(super) fn fd_write(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let descriptor = opened(guest, arguments.u32(0))? as u32;
    if descriptor == STDIN {
        return Err(Errno::Notcapable);
    }
    let mut total = 0_u32;
    for (at, length) in guest.buffers(arguments.u32(1), arguments.u32(2))? {
        // One call writes what a 32-bit number can count; the program asks again for the rest.
        let length = length.min(u32::MAX - total);
        let (bytes, system) = guest.bytes_and_system(at, length)?;
        if descriptor == STDOUT {
            system.output.write(bytes);
        } else {
            system.errors.write(bytes);
        }
        total += length;
    }
    guest.set_u32(arguments.u32(3), total)?;
    Ok(Reply::Done)
}

/// `fd_close(fd)`
pub(super) fn fd_close(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let descriptor = opened(guest, arguments.u32(0))?;
    guest.system.open[descriptor] = false;
    Ok(Reply::Done)
}

/// `fd_fdstat_get(fd, *stat)`: type (unknown, as for a pipe), flags, rights, rights that are handed on.
pub(super) fn fd_fdstat_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let descriptor = opened(guest, arguments.u32(0))?;
    let rights = if descriptor == STDIN as usize { RIGHTS_READ } else { RIGHTS_WRITE };
    let mut stat = [0; 24];
    stat[2..4].copy_from_slice(&guest.system.flags[descriptor].to_le_bytes());
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    guest.write(arguments.u32(1), &stat)?;
    Ok(Reply::Done)
}

/// `fd_fdstat_set_flags(fd, flags)`
pub(super) fn fd_fdstat_set_flags(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let descriptor = opened(guest, arguments.u32(0))?;
    guest.system.flags[descriptor] = arguments.u32(1) as u16;
    Ok(Reply::Done)
}

/// `fd_filestat_get(fd, *stat)`: of a pipe nothing is to be told.
pub(super) fn fd_filestat_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    opened(guest, arguments.u32(0))?;
    guest.write(arguments.u32(1), &[0; 64])?;
    Ok(Reply::Done)
}

/// `fd_seek(fd, offset, whence, *position)` and `fd_tell(fd, *position)`
pub(super) fn fd_seek(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    opened(guest, arguments.u32(0))?;
    Err(Errno::Spipe)
}

/// `fd_prestat_get(fd, *prestat)`: there are no preopened folders, which a program learns by asking until it fails.
pub(super) fn fd_prestat_get(_: &mut Guest<'_>, _: Arguments<'_>) -> Result<Reply, Errno> {
    Err(Errno::Badf)
}

/// `args_sizes_get(*count, *bytes)`
pub(super) fn args_sizes_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let sizes = sizes(&guest.system.args);
    write_sizes(guest, arguments, sizes)
}

/// `args_get(*pointers, *bytes)`
pub(super) fn args_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let texts = guest.system.args.clone();
    write_texts(guest, arguments, &texts)
}

/// `environ_sizes_get(*count, *bytes)`
pub(super) fn environ_sizes_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let sizes = sizes(&guest.system.env);
    write_sizes(guest, arguments, sizes)
}

/// `environ_get(*pointers, *bytes)`
pub(super) fn environ_get(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let texts = guest.system.env.clone();
    write_texts(guest, arguments, &texts)
}

/// How many texts there are, and how long they are together.
fn sizes(texts: &[Vec<u8>]) -> (u32, u32) {
    (texts.len() as u32, texts.iter().map(|text| text.len() as u32).sum())
}

fn write_sizes(guest: &mut Guest<'_>, arguments: Arguments<'_>, (count, bytes): (u32, u32)) -> Result<Reply, Errno> {
    guest.set_u32(arguments.u32(0), count)?;
    guest.set_u32(arguments.u32(1), bytes)?;
    Ok(Reply::Done)
}

fn write_texts(guest: &mut Guest<'_>, arguments: Arguments<'_>, texts: &[Vec<u8>]) -> Result<Reply, Errno> {
    let (mut pointers, mut at) = (arguments.u32(0), arguments.u32(1));
    for text in texts {
        guest.set_u32(pointers, at)?;
        guest.write(at, text)?;
        pointers = pointers.checked_add(4).ok_or(Errno::Fault)?;
        at = at.checked_add(text.len() as u32).ok_or(Errno::Fault)?;
    }
    Ok(Reply::Done)
}
