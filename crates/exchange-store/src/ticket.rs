//! The answer to an operation that is on its way to the disk.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::StoreError;

/// The answer to come. Dropping it does not take the operation back.
#[derive(Debug)]
pub struct Ticket<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Ticket<T> {
    /// A ticket and where its answer is put.
    pub(crate) fn new() -> (oneshot::Sender<Result<T, StoreError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// An answer that is known at once.
    pub fn ready(answer: Result<T, StoreError>) -> Self {
        let (sender, receiver) = oneshot::channel();
        // The receiver is alive: it is returned.
        drop(sender.send(answer));
        Self(receiver)
    }

    /// Waits on this thread, for command lines and tests; never on a runtime's thread.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn blocking_wait(self) -> Result<T, StoreError> {
        self.0.blocking_recv().unwrap_or_else(|_gone| Err(gone()))
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|sent| sent.unwrap_or_else(|_gone| Err(gone())))
    }
}

fn gone() -> StoreError {
    StoreError::Failed("it was closed before it answered".to_owned())
}
