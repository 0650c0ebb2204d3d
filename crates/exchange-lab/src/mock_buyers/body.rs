//! Answer bodies, the broken ones included.

use std::io;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// What the body of [`Fault::GzipBomb`](crate::faults::Fault::GzipBomb) unpacks to, in bytes.
pub const GZIP_BOMB_BYTES: u32 = 258 * 65_000;
/// The checksum of that many zeros.
const GZIP_BOMB_CRC: u32 = 0x2F60_2FB5;
/// The pause of bodies that break or never end, so that what came before is really sent.
const PAUSE: Duration = Duration::from_millis(2);

/// The body of a mock buyer's answer.
#[derive(Debug)]
pub(crate) enum ReplyBody {
    /// Sent at once.
    Whole(Full<Bytes>),
    /// Sent piece by piece.
    Paced(Paced),
}

/// A body sent piece by piece, with a pause before each piece.
#[derive(Debug)]
pub(crate) struct Paced {
    left: Bytes,
    piece: usize,
    every: Duration,
    pause: Pin<Box<Sleep>>,
    then: Then,
    declared: Option<u64>,
}

#[derive(Debug)]
enum Then {
    End,
    Break,
    Repeat(Bytes),
}

impl ReplyBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }

    pub(crate) fn drip(bytes: Bytes, piece: usize, every: Duration) -> Self {
        let declared = u64::try_from(bytes.len()).ok();
        Self::paced(bytes, piece.max(1), every, (Then::End, declared))
    }

    /// Declares its whole length and breaks off half-way.
    pub(crate) fn truncated(bytes: &Bytes) -> Self {
        let declared = u64::try_from(bytes.len()).ok();
        let half = bytes.slice(..bytes.len() / 2);
        Self::paced(half, bytes.len().max(1), PAUSE, (Then::Break, declared))
    }

    /// Chunks without an end; it stops when the reader goes.
    pub(crate) fn endless() -> Self {
        let chunk = Bytes::from(vec![b' '; 1024]);
        Self::paced(chunk.clone(), chunk.len(), PAUSE, (Then::Repeat(chunk), None))
    }

    fn paced(left: Bytes, piece: usize, every: Duration, end: (Then, Option<u64>)) -> Self {
        let pause = Box::pin(tokio::time::sleep(every));
        Self::Paced(Paced { left, piece, every, pause, then: end.0, declared: end.1 })
    }
}

impl Paced {
    fn next_piece(&mut self) -> Option<Result<Frame<Bytes>, io::Error>> {
        if self.left.is_empty() {
            match &self.then {
                Then::End => return None,
                Then::Break => return Some(Err(io::Error::other("broken off by script"))),
                Then::Repeat(chunk) => self.left = chunk.clone(),
            }
        }
        let piece = self.left.split_to(self.piece.min(self.left.len()));
        Some(Ok(Frame::data(piece)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Paced(body) => {
                ready!(body.pause.as_mut().poll(cx));
                body.pause = Box::pin(tokio::time::sleep(body.every));
                Poll::Ready(body.next_piece())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Paced(body) => body.declared.map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}

/// A valid gzip member of [`GZIP_BOMB_BYTES`] zeros, about 100 KiB.
pub(crate) fn gzip_bomb() -> Bytes {
    static BOMB: LazyLock<Bytes> = LazyLock::new(build_gzip_bomb);
    BOMB.clone()
}

fn build_gzip_bomb() -> Bytes {
    let mut bits = Bits::default();
    bits.push(0b1, 1); // the last block
    bits.push(0b01, 2); // with the fixed code
    bits.push_code(0b0011_0000, 8); // a zero byte, then copies of it:
    for run in 0..GZIP_BOMB_BYTES / 258 {
        // The first run is one copy short, for the literal above.
        if run == 0 {
            bits.push_code(0b1100_0100, 8); // length 227 + 30 = 257
            bits.push(30, 5);
        } else {
            bits.push_code(0b1100_0101, 8); // length 258
        }
        bits.push_code(0, 5); // distance 1
    }
    bits.push_code(0, 7); // end of block
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(bits.finish());
    bytes.extend(GZIP_BOMB_CRC.to_le_bytes());
    bytes.extend(GZIP_BOMB_BYTES.to_le_bytes());
    bytes.into()
}

/// Bits in deflate's order: numbers lowest bit first, Huffman codes highest bit first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    current: u8,
    filled: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            self.push_bit((value >> bit) & 1 == 1);
        }
    }

    fn push_code(&mut self, code: u32, count: u32) {
        for bit in (0..count).rev() {
            self.push_bit((code >> bit) & 1 == 1);
        }
    }

    fn push_bit(&mut self, set: bool) {
        self.current |= u8::from(set) << self.filled;
        self.filled += 1;
        if self.filled == 8 {
            self.bytes.push(self.current);
            (self.current, self.filled) = (0, 0);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.push(self.current);
        self.bytes
    }
}
