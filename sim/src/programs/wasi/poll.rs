//! `poll_oneoff`: waiting for the first of several events.
//!
//! Invariant: a wait that began is over at the first instant at which one of its events has happened, and then tells all that have.
//!
//! Example: a node with a timer of 500 ms subscribes to standard input and to the clock. It is woken by a message, or after 500 ms,
//! and whichever came first is what it is told.
//!
//! What is deliberately absent: waiting for output. Whoever reads standard output never falls behind, so it can always be written.

use super::clock::Clock;
use super::guest::{Errno, Guest, Reply};
use super::imports::Arguments;
use super::io::opened;
use super::system::Wait;
use crate::kernel::time::Time;

/// Bytes of a `subscription`.
const SUBSCRIPTION_BYTES: u32 = 48;
/// Bytes of an `event`.
const EVENT_BYTES: u32 = 32;
/// `subclockflags.subscription_clock_abstime`
const ABSOLUTE: u16 = 1;
/// `eventrwflags.fd_readwrite_hangup`
const HANGUP: u16 = 1;

/// Events to wait for, and where to tell them.
#[derive(Debug)]
pub(super) struct Poll {
    subscriptions: Vec<Subscription>,
    /// Where the events go.
    events: u32,
    /// Where their number goes.
    count: u32,
}

/// An event to wait for.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    /// What the program knows it by.
    userdata: u64,
    /// The kind of the event, as a number of `eventtype`.
    kind: u8,
    condition: Condition,
}

/// When an event has happened.
#[derive(Clone, Copy, Debug)]
enum Condition {
    /// From this instant on.
    At(Time),
    /// Once standard input can be read.
    Input,
    /// At once.
    Now,
    /// At once, and it is this error.
    Refused(Errno),
}

impl Poll {
    /// The earliest instant that is waited for.
    pub(super) fn deadline(&self) -> Option<Time> {
        let instants = self.subscriptions.iter().filter_map(|subscription| match subscription.condition {
            Condition::At(instant) => Some(instant),
            _ => None,
        });
        instants.min().filter(|&instant| instant != Time::NEVER)
    }
}

/// `poll_oneoff(*subscriptions, *events, how many, *count)`
pub(super) fn poll_oneoff(guest: &mut Guest<'_>, arguments: Arguments<'_>) -> Result<Reply, Errno> {
    let many = arguments.u32(2);
    if many == 0 {
        return Err(Errno::Inval);
    }
    // Looked at before any of it is read: a count that is a lie is found out here.
    guest.bytes(arguments.u32(0), many.checked_mul(SUBSCRIPTION_BYTES).ok_or(Errno::Inval)?)?;
    guest.bytes(arguments.u32(1), many.checked_mul(EVENT_BYTES).ok_or(Errno::Inval)?)?;
    let subscriptions = (0..many)
        .map(|index| subscription(guest, arguments.u32(0) + index * SUBSCRIPTION_BYTES))
        .collect::<Result<_, _>>()?;
    poll(guest, Poll { subscriptions, events: arguments.u32(1), count: arguments.u32(3) })
}

/// Tells what has happened; waits when nothing has.
pub(super) fn poll(guest: &mut Guest<'_>, poll: Poll) -> Result<Reply, Errno> {
    let mut told = 0;
    for subscription in &poll.subscriptions {
        let (error, bytes, flags) = match subscription.condition {
            Condition::At(instant) if instant <= guest.system.now => (0, 0, 0),
            Condition::Input if guest.system.can_read() => {
                let hangup = guest.system.input_ended && guest.system.input.is_empty();
                (0, guest.system.input.len() as u64, if hangup { HANGUP } else { 0 })
            }
            Condition::Now => (0, 1, 0),
            Condition::Refused(errno) => (errno as u16, 0, 0),
            Condition::At(_) | Condition::Input => continue,
        };
        let mut event = [0; EVENT_BYTES as usize];
        event[..8].copy_from_slice(&subscription.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&error.to_le_bytes());
        event[10] = subscription.kind;
        event[16..24].copy_from_slice(&bytes.to_le_bytes());
        event[24..26].copy_from_slice(&flags.to_le_bytes());
        guest.write(poll.events + told * EVENT_BYTES, &event)?;
        told += 1;
    }
    if told == 0 {
        return Ok(Reply::Wait(Wait::Poll(poll)));
    }
    guest.set_u32(poll.count, told)?;
    Ok(Reply::Done)
}

/// Reads a subscription. What cannot be waited for is told at once, as an event of its own.
fn subscription(guest: &mut Guest<'_>, at: u32) -> Result<Subscription, Errno> {
    let (userdata, kind) = (guest.u64(at)?, guest.u8(at + 8)?);
    let condition = match kind {
        0 => {
            let (clock, timeout, flags) = (guest.u32(at + 16)?, guest.u64(at + 24)?, guest.u16(at + 40)?);
            let now = guest.system.now;
            Clock::numbered(clock)
                .and_then(|clock| clock.instant(timeout, flags & ABSOLUTE != 0, now))
                .map(Condition::At)
        }
        1 | 2 => {
            let descriptor = guest.u32(at + 16)?;
            opened(guest, descriptor).and_then(|descriptor| match (kind, descriptor) {
                (1, 0) => Ok(Condition::Input),
                (2, 1 | 2) => Ok(Condition::Now),
                _ => Err(Errno::Notcapable),
            })
        }
        _ => return Err(Errno::Inval),
    };
    Ok(Subscription { userdata, kind, condition: condition.unwrap_or_else(Condition::Refused) })
}
