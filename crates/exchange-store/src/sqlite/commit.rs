//! Commits A and B.
//!
//! A step is one savepoint: the conclusion of the attempt that ended, then the intent of the next
//! or the answer. An intent is checked in full before any of it is written, so that refusing it
//! leaves the conclusion standing.

use exchange_core::record::{Commit, Durable, Next};
use exchange_model::{AttemptId, CampaignId};

use super::txn::Txn;
use crate::error::StoreError;
use crate::intake::Renderer;
use crate::store::{Answered, Booked};

mod conclude;
mod prepare;
mod standing;

/// What a step came to, before the permit is made of it.
#[derive(Debug)]
pub(super) struct Stepped {
    pub(super) durable: Durable,
    /// The attempt that may be made once this is on disk.
    pub(super) prepared: Option<(AttemptId, CampaignId)>,
    /// What the seller is told.
    pub(super) answered: Option<Answered>,
    /// What was sold.
    pub(super) booked: Option<Booked>,
}

impl Stepped {
    fn done(booked: Option<Booked>) -> Self {
        Self { durable: Durable::Done, prepared: None, answered: None, booked }
    }
}

impl Txn<'_> {
    /// Writes one step of a lead.
    pub(super) fn step(
        &mut self,
        step: &Commit,
        reply: Option<&Renderer>,
    ) -> Result<Stepped, StoreError> {
        let booked = match &step.concluded {
            Some(concluded) => self.conclude(concluded, step.at)?,
            None => None,
        };
        self.qualify(step.lead, &step.qualified)?;
        let done = Stepped::done(booked);
        let stepped = match &step.next {
            Next::Prepare(intent) => {
                if intent.attempt.lead() != step.lead {
                    return Err(StoreError::Conflict("an intent of another lead".to_owned()));
                }
                let prepared = (intent.attempt, intent.campaign.clone());
                match self.prepare(intent, step.at)? {
                    Ok(()) => Stepped { prepared: Some(prepared), ..done },
                    Err(refused) => Stepped { durable: Durable::Refused(refused), ..done },
                }
            }
            Next::Answer(answer) => {
                let answered = self.answer(step, answer, reply)?;
                return Ok(Stepped { answered, ..done });
            }
            Next::Nothing => done,
        };
        if let Some(concluded) = &step.concluded {
            self.resolve(concluded, step.at)?;
        }
        Ok(stepped)
    }
}
