//! The auction as a pure state machine, with caps, duplicates, idempotency and recovery.
