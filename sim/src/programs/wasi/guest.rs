//! The memory of a program as its imports see it, and the numbers by which they answer.
//!
//! Invariant: a pointer that a program gives is followed only inside of its memory; everything else is [`Errno::Fault`].
//! What a call moves is counted as work, and paid with fuel: otherwise one instruction could write a gigabyte.
//!
//! Example: `guest.u32(16)?` reads the four bytes from 16 on, least significant first.
//!
//! What is deliberately absent: any meaning of what is read or written.

use super::system::{System, Wait};

/// Errors of WASI preview 1, with their numbers (witx `errno`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errno {
    /// Nothing to read now.
    Again = 6,
    /// No such descriptor.
    Badf = 8,
    /// A pointer outside of memory.
    Fault = 21,
    /// An argument that makes no sense.
    Inval = 28,
    /// No such function here.
    Nosys = 52,
    /// This cannot be asked for here.
    Notsup = 58,
    /// A pipe has no positions.
    Spipe = 70,
    /// This program has no right to it.
    Notcapable = 76,
}

/// What came of a call, if not an error.
pub(super) enum Reply {
    /// It is over.
    Done,
    /// The program has to wait before it is over.
    Wait(Wait),
    /// The program ends here.
    Exit(i32),
}

/// A program in the middle of a call.
pub(super) struct Guest<'a> {
    memory: &'a mut [u8],
    /// What stands outside of the program.
    pub(super) system: &'a mut System,
    /// The bytes moved so far.
    pub(super) work: u64,
}

impl<'a> Guest<'a> {
    /// A program at the beginning of a call.
    pub(super) fn new(memory: &'a mut [u8], system: &'a mut System) -> Self {
        Self { memory, system, work: 0 }
    }

    /// The bytes of a buffer.
    pub(super) fn bytes(&mut self, at: u32, length: u32) -> Result<&mut [u8], Errno> {
        self.bytes_and_system(at, length).map(|(bytes, _)| bytes)
    }

    /// The bytes of a buffer together with what stands outside of the program.
    pub(super) fn bytes_and_system(&mut self, at: u32, length: u32) -> Result<(&mut [u8], &mut System), Errno> {
        let from = at as usize;
        let bytes = self.memory.get_mut(from..from + length as usize).ok_or(Errno::Fault)?;
        self.work += u64::from(length);
        Ok((bytes, self.system))
    }

    /// Writes bytes.
    pub(super) fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.bytes(at, length)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Reads a number of one byte.
    pub(super) fn u8(&mut self, at: u32) -> Result<u8, Errno> {
        Ok(self.array::<1>(at)?[0])
    }

    /// Reads a number of two bytes.
    pub(super) fn u16(&mut self, at: u32) -> Result<u16, Errno> {
        self.array(at).map(u16::from_le_bytes)
    }

    /// Reads a number of four bytes.
    pub(super) fn u32(&mut self, at: u32) -> Result<u32, Errno> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// Reads a number of eight bytes.
    pub(super) fn u64(&mut self, at: u32) -> Result<u64, Errno> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Writes a number of four bytes.
    pub(super) fn set_u32(&mut self, at: u32, value: u32) -> Result<(), Errno> {
        self.write(at, &value.to_le_bytes())
    }

    /// Writes a number of eight bytes.
    pub(super) fn set_u64(&mut self, at: u32, value: u64) -> Result<(), Errno> {
        self.write(at, &value.to_le_bytes())
    }

    /// The buffers of a vector of (pointer, length), for a call that moves what they hold.
    pub(super) fn buffers(&mut self, at: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
        let list = self.bytes(at, count.checked_mul(8).ok_or(Errno::Inval)?)?;
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(list.chunks_exact(8).map(|pair| (word(&pair[..4]), word(&pair[4..]))).collect())
    }

    fn array<const BYTES: usize>(&mut self, at: u32) -> Result<[u8; BYTES], Errno> {
        let mut array = [0; BYTES];
        array.copy_from_slice(self.bytes(at, BYTES as u32)?);
        Ok(array)
    }
}
