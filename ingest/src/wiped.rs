//! Bytes that may hold prompts: overwritten before their memory is used again or given back.

use std::fmt;
use std::io::{self, Write};
use std::ops::Deref;

use zeroize::Zeroize;

/// A growing buffer. What it no longer holds is zero, also where it has moved away from.
///
/// It reaches only what lies in it: the windows inside of the decompressors, the read buffers of the HTTP server
/// and the queues of librdkafka belong to those, which give them back as they are.
#[derive(Default)]
pub(crate) struct Buffer {
    /// Zero from `len` on.
    memory: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// `bytes` zeros, all of them held.
    pub(crate) fn zeros(bytes: usize) -> Self {
        Self { memory: vec![0; bytes], len: bytes }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.len).unwrap_or_default()
    }

    pub(crate) fn extend_from_slice(&mut self, more: &[u8]) {
        let end = self.len + more.len();
        if end > self.memory.len() {
            // Not by the vector itself, which would leave what it moves away from.
            self.move_to(end.max(self.memory.len().saturating_mul(2)));
        }
        if let Some(free) = self.memory.get_mut(self.len..end) {
            free.copy_from_slice(more);
            self.len = end;
        }
    }

    /// Holds nothing any more, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.as_mut_slice().zeroize();
        self.len = 0;
    }

    /// Returns the memory of before, wiped.
    fn move_to(&mut self, capacity: usize) -> Vec<u8> {
        let mut memory = vec![0; capacity];
        if let Some(start) = memory.get_mut(..self.len) {
            start.copy_from_slice(self);
        }
        self.as_mut_slice().zeroize();
        std::mem::replace(&mut self.memory, memory)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("bytes", &self.len).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"what a person wrote";

    #[test]
    fn what_a_buffer_no_longer_holds_is_zero() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(TEXT);
        assert_eq!(&buffer[..], TEXT);
        // Dropping does the same.
        buffer.clear();
        assert!(buffer.is_empty() && buffer.capacity() >= TEXT.len());
        assert!(buffer.memory.iter().all(|byte| *byte == 0));
        buffer.extend_from_slice(b"short");
        assert_eq!((&buffer[..], &buffer.memory[5..TEXT.len()]), (&b"short"[..], &[0; TEXT.len() - 5][..]));
    }

    #[test]
    fn memory_that_a_buffer_grows_out_of_is_zero() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(TEXT);
        let before = buffer.move_to(100);
        assert_eq!((before.len(), before.iter().all(|byte| *byte == 0)), (TEXT.len(), true));
        assert_eq!((&buffer[..], buffer.capacity()), (TEXT, 100));
        for _ in 0..10 {
            buffer.write_all(TEXT).unwrap();
        }
        assert_eq!(&buffer[..], TEXT.repeat(11));
    }

    #[test]
    fn a_buffer_tells_its_length_only() {
        let mut buffer = Buffer::zeros(3);
        buffer.as_mut_slice().copy_from_slice(b"abc");
        assert_eq!((&buffer[..], format!("{buffer:?}").as_str()), (&b"abc"[..], "Buffer { bytes: 3 }"));
    }
}
