//! SENDs between BEGIN and COMMIT: kept until then, and forgotten on ABORT. Pure.

use std::collections::HashMap;

use doran_contract::ErrorCode;

use super::frame::Frame;
use crate::socket::answer::Denied;

const MOST_OPEN: usize = 16;
const MOST_FRAMES: usize = 256;
const MOST_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct Transactions {
    open: HashMap<String, Vec<Frame>>,
    frames: usize,
    bytes: usize,
}

impl Transactions {
    pub(super) fn begin(&mut self, name: &str) -> Result<(), Denied> {
        if self.open.contains_key(name) {
            return Err(refuse("that transaction has begun already"));
        }
        if self.open.len() >= MOST_OPEN {
            return Err(full());
        }
        self.open.insert(name.to_owned(), Vec::new());
        Ok(())
    }

    pub(super) fn keep(&mut self, name: &str, frame: Frame) -> Result<(), Denied> {
        let kept = self.open.get_mut(name).ok_or_else(unknown)?;
        self.frames += 1;
        self.bytes += frame.bytes();
        if self.frames > MOST_FRAMES || self.bytes > MOST_BYTES {
            return Err(full());
        }
        kept.push(frame);
        Ok(())
    }

    /// Ends the transaction, whether it is committed or not; what it held.
    pub(super) fn end(&mut self, name: &str) -> Result<Vec<Frame>, Denied> {
        let kept = self.open.remove(name).ok_or_else(unknown)?;
        self.frames -= kept.len();
        self.bytes -= kept.iter().map(Frame::bytes).sum::<usize>();
        Ok(kept)
    }
}

fn unknown() -> Denied {
    refuse("that transaction has not begun")
}

fn refuse(message: &'static str) -> Denied {
    Denied::new(ErrorCode::BadRequest, message)
}

fn full() -> Denied {
    Denied::new(ErrorCode::TooLarge, "too much is held by transactions")
}

#[cfg(test)]
mod tests {
    use super::{
        super::frame::{Command, Headers},
        *,
    };

    fn frame(body: &str) -> Frame {
        Frame {
            command: Command::Send,
            headers: Headers::default(),
            body: body.into(),
        }
    }

    #[test]
    fn what_is_kept_comes_out_in_order_once() {
        let mut transactions = Transactions::default();
        transactions.begin("t").unwrap();
        transactions.begin("u").unwrap();
        assert!(transactions.begin("t").is_err());
        for body in ["1", "2"] {
            transactions.keep("t", frame(body)).unwrap();
        }
        let bodies: Vec<_> = transactions.end("t").unwrap();
        assert_eq!(bodies, [frame("1"), frame("2")]);
        assert!(transactions.end("t").is_err());
        assert!(transactions.keep("t", frame("3")).is_err());
        assert_eq!(transactions.end("u").unwrap(), []);
        assert_eq!((transactions.frames, transactions.bytes), (0, 0));
    }

    #[test]
    fn what_they_hold_is_bounded() {
        let mut transactions = Transactions::default();
        for n in 0..MOST_OPEN {
            transactions.begin(&n.to_string()).unwrap();
        }
        assert!(transactions.begin("one more").is_err());
        let large = "x".repeat(MOST_BYTES / 2);
        transactions.keep("0", frame(&large)).unwrap();
        transactions.keep("1", frame(&large)).unwrap();
        assert!(transactions.keep("1", frame("x")).is_err());
    }
}
