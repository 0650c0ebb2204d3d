//! Threads that read, each with a connection of its own that cannot write.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};

use super::shared::Shared;
use crate::error::StoreError;
use crate::ticket::Ticket;

/// Most questions that may wait.
const QUEUE_MAX: usize = 4_096;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The pool.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Readers {
    pub(super) fn start(
        path: &Path,
        count: usize,
        shared: &Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let (queue, questions) = sync_channel::<Question>(QUEUE_MAX);
        let questions = Arc::new(Mutex::new(questions));
        let mut threads = Vec::new();
        for number in 1..=count.max(1) {
            let (conn, questions) = (open(path)?, Arc::clone(&questions));
            let thread = thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || serve(&conn, &questions))
                .map_err(|error| StoreError::Open(error.to_string()))?;
            threads.push(thread);
        }
        Ok(Self { queue: Some(queue), threads, shared: Arc::clone(shared) })
    }

    /// Asks one question, answered from one consistent state of the database.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Ticket<T> {
        if let Err(failed) = self.shared.check() {
            return Ticket::ready(Err(failed));
        }
        let (reply, ticket) = Ticket::new();
        let shared = Arc::clone(&self.shared);
        let question = move |conn: &Connection| {
            let answer = consistently(conn, read);
            if let Err(error) = &answer {
                shared.note(error);
            }
            // Whoever asked may have gone.
            drop(reply.send(answer));
        };
        let queue = self.queue.as_ref().expect("the queue is open until the pool is dropped");
        match queue.try_send(Box::new(question)) {
            Ok(()) => ticket,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                Ticket::ready(Err(StoreError::Overloaded))
            }
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A reader that panicked has answered nobody; there is nothing left to do about it.
            drop(thread.join());
        }
    }
}

fn serve(conn: &Connection, questions: &Mutex<Receiver<Question>>) {
    loop {
        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(question) => question(conn),
            Err(_closed) => return,
        }
    }
}

/// Reads within one transaction.
pub(super) fn consistently<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = conn.unchecked_transaction()?;
    read(&transaction)
}

/// A connection that cannot write.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}
