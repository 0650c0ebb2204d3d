//! Commits A and B.
//!
//! A step is one savepoint: the conclusion of the attempt that ended, then the intent of the next
//! or the answer. An intent is checked in full before any of it is written, so that refusing it
//! leaves the conclusion standing.

use exchange_core::record::{Commit, Durable, Next};
use exchange_model::{AttemptId, CampaignId};

use super::txn::Txn;
use crate::error::StoreError;
use crate::intake::StoredReply;

mod conclude;
mod prepare;
mod standing;

/// What a step came to, before the permit is made of it.
#[derive(Debug)]
pub(super) struct Stepped {
    pub(super) durable: Durable,
    /// The attempt that may be made once this is on disk.
    pub(super) prepared: Option<(AttemptId, CampaignId)>,
}

impl Txn<'_> {
    /// Writes one step of a lead.
    pub(super) fn step(
        &mut self,
        step: &Commit,
        reply: Option<&StoredReply>,
    ) -> Result<Stepped, StoreError> {
        if let Some(concluded) = &step.concluded {
            self.conclude(concluded, step.at)?;
        }
        match &step.next {
            Next::Prepare(intent) => {
                if intent.attempt.lead() != step.lead {
                    return Err(StoreError::Conflict("an intent of another lead".to_owned()));
                }
                match self.prepare(intent, step.at)? {
                    Ok(()) => Ok(Stepped {
                        durable: Durable::Done,
                        prepared: Some((intent.attempt, intent.campaign.clone())),
                    }),
                    Err(refused) => {
                        Ok(Stepped { durable: Durable::Refused(refused), prepared: None })
                    }
                }
            }
            Next::Answer(answer) => {
                self.answer(step.lead, answer, step.at, reply)?;
                Ok(Stepped { durable: Durable::Done, prepared: None })
            }
            Next::Nothing => {
                if let Some(concluded) = &step.concluded {
                    self.resolve(concluded, step.at)?;
                }
                Ok(Stepped { durable: Durable::Done, prepared: None })
            }
        }
    }
}
