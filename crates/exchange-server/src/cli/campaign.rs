//! `rialto campaign`: what an operator does with one campaign.

use clap::{Args, Subcommand};
use exchange_model::{CampaignId, LeadId};
use exchange_store::Finished;
use serde_json::json;

use crate::cli::books::Desk;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure, Ran};

/// What to do with a campaign.
#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Say that the buyer is done with a lead: it does not count for the cap `open` any more
    #[command(before_help = "\
Examples:
  rialto campaign finished metro_direct/auto lead_01kb2v3w4x5y6z7a8b9c0d1e2f")]
    Finished(Finish),
}

/// Options of `rialto campaign finished`.
#[derive(Args, Debug)]
pub(crate) struct Finish {
    /// The campaign, as buyer/campaign
    campaign: CampaignId,
    /// The lead
    lead: LeadId,
}

/// Runs `rialto campaign`.
pub(crate) fn run(command: &Campaign, context: &Context) -> Ran {
    match command {
        Campaign::Finished(options) => finished(options, context),
    }
}

fn finished(options: &Finish, context: &Context) -> Ran {
    let Finish { campaign, lead } = options;
    let said = Desk::open(context)?.finished(campaign, *lead)?;
    if said == Finished::NoPost {
        let why =
            format!("`{campaign}` does not have `{lead}`: it was not posted there, or refused");
        return Err(Failure::failed(why));
    }
    if context.out.json {
        context.out.json(&json!({ "finished": said == Finished::Done }))?;
    } else if said == Finished::Done {
        context.out.note(format!("{campaign} is done with {lead}"));
    } else {
        context.out.note(format!("{campaign} was done with {lead} before; nothing changed"));
    }
    Ok(Exit::Done)
}
