//! The stages of one connector: which are there, how each is compiled, and whether they suit each
//! other.

use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::Resolver;
use exchange_model::{Findings, Place, PollSchedule, TableReader};

use super::auth::Auth;
use super::shared::Shared;
use super::{reading, resolving, singling, stage};
use crate::call::Call;
use crate::connector::{CALLBACK_ANSWER, CallbackStage, ConfirmStage, Stage, Stages};
use crate::grant::{Grant, TokenStage};
use crate::plan::Plan;
use crate::reply::{self, Around, PingReply, PostReply, Speaker, ValuesReply};
use crate::sign::Signer;

/// Longest body that a buyer's call is answered with, in bytes.
const CALLBACK_BODY_MAX: usize = 1024;

/// Compiles the stages of one connector.
pub(super) struct StageReader<'a, 'f> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) auth: &'a Auth,
    pub(super) findings: &'f mut Findings,
}

impl StageReader<'_, '_> {
    /// All stages but `token`. Nothing when one of them is broken.
    pub(super) fn stages(&mut self, connector: &mut TableReader<'_>) -> Option<Stages> {
        let pre_ping = self.optional(connector, Call::PrePing, Self::values);
        let mut ping_least = None;
        let ping = self.optional(connector, Call::Ping, |reader, table, call| {
            let compiled = reader.ping(table, call);
            ping_least = least_timeout(table, compiled.as_ref(), reader.findings)?;
            compiled
        });
        let pre_post = self.optional(connector, Call::PrePost, Self::values);
        let post = self.optional(connector, Call::Post, |reader, table, call| {
            reader.outcome(table, call, Speaker::Post)
        });
        let confirm = self.optional(connector, Call::Confirm, Self::confirm);
        let mut poll = PollSchedule::default();
        let status = self.optional(connector, Call::Status, |reader, table, call| {
            poll = resolving::poll(table, reader.findings)?;
            reader.outcome(table, call, Speaker::Status)
        });
        let void = self.optional(connector, Call::Void, |reader, table, call| {
            reader.outcome(table, call, Speaker::Void)
        });
        let callback = self.callback(connector);
        if connector.node(Call::Post.key()).is_none() {
            connector.missing("post", "{ url = \"https://...\", ... }", self.findings);
            return None;
        }
        Some(Stages {
            pre_ping: pre_ping?,
            ping: ping?,
            ping_least,
            pre_post: pre_post?,
            post: post??,
            confirm: confirm?,
            status: status?,
            poll,
            void: void?,
            callback: callback?,
        })
    }

    /// The `token` stage. Nothing when it is broken.
    pub(super) fn token(
        &mut self,
        connector: &mut TableReader<'_>,
    ) -> Option<Option<Stage<ValuesReply>>> {
        self.optional(connector, Call::Token, Self::values)
    }

    /// A stage that may be absent; the outer nothing means that it is broken.
    fn optional<S>(
        &mut self,
        connector: &mut TableReader<'_>,
        call: Call,
        compile: impl FnOnce(&mut Self, &mut TableReader<'_>, Call) -> Option<S>,
    ) -> Option<Option<S>> {
        if connector.node(call.key()).is_none() {
            return Some(None);
        }
        let mut table = connector.table(call.key(), self.findings)?;
        let compiled = compile(self, &mut table, call);
        table.finish(self.findings);
        compiled.map(Some)
    }

    fn plan(&mut self, table: &mut TableReader<'_>, call: Call) -> Option<Plan> {
        stage::plan(table, call, self.shared, self.auth, self.findings)
    }

    /// The `reply` table, which every stage has.
    fn reply<'t>(&mut self, table: &mut TableReader<'t>, example: &str) -> Option<TableReader<'t>> {
        if table.node("reply").is_none() {
            table.missing("reply", example, self.findings);
        }
        table.table("reply", self.findings)
    }

    fn ping(&mut self, table: &mut TableReader<'_>, call: Call) -> Option<Stage<PingReply>> {
        let plan = self.plan(table, call);
        singling::check(table, plan.as_ref(), self.shared.vertical, self.findings);
        let example = "{ rules = [{ when = { at = \"$.ok\", is = [true] }, then = \"bid\" }] }";
        let reply = self.reply(table, example)?;
        let filters = reading::filters(self.shared);
        let around = Around { currency: self.shared.vertical.currency(), filters: &filters };
        let reply = reply::compile_ping(reply, around, self.findings);
        Some(Stage::new(plan?, reply?))
    }

    fn values(&mut self, table: &mut TableReader<'_>, call: Call) -> Option<Stage<ValuesReply>> {
        let plan = self.plan(table, call);
        let reply = self.reply(table, "{ values = { id = { at = \"$.id\" } } }")?;
        let filters = reading::filters(self.shared);
        let reply = reply::compile_values(reply, &filters, self.findings);
        Some(Stage::new(plan?, reply?))
    }

    fn outcome(
        &mut self,
        table: &mut TableReader<'_>,
        call: Call,
        speaker: Speaker,
    ) -> Option<Stage<PostReply>> {
        let plan = self.plan(table, call);
        let example = "{ rules = [{ when = { ... }, then = \"accepted\" }, ...] }";
        let reply = self.reply(table, example)?;
        let filters = reading::filters(self.shared);
        let around = Around { currency: self.shared.vertical.currency(), filters: &filters };
        let reply = reply::compile_post(reply, speaker, around, self.findings);
        Some(Stage::new(plan?, reply?))
    }

    fn confirm(&mut self, table: &mut TableReader<'_>, call: Call) -> Option<ConfirmStage> {
        let decides = match table.node("decides") {
            None => false,
            Some(_) => table.boolean("decides", self.findings)?.value,
        };
        let speaker = if decides { Speaker::DecidingConfirm } else { Speaker::Confirm };
        Some(ConfirmStage { stage: self.outcome(table, call, speaker)?, decides })
    }

    fn callback(&mut self, connector: &mut TableReader<'_>) -> Option<Option<CallbackStage>> {
        if connector.node("callback").is_none() {
            return Some(None);
        }
        let mut table = connector.table("callback", self.findings)?;
        let answer = self.callback_answer(&mut table);
        let example = "{ rules = [{ when = { key = \"status\", is = [\"sold\"] }, then = \"accepted\" }, ...] }";
        let reply = self.reply(&mut table, example);
        table.finish(self.findings);
        let filters = reading::filters(self.shared);
        let around = Around { currency: self.shared.vertical.currency(), filters: &filters };
        let reply = reply::compile_post(reply?, Speaker::Callback, around, self.findings);
        let (status, body) = answer?;
        Some(Some(CallbackStage { reply: reply?, status, body }))
    }

    /// `answer = { status = 200, body = "OK" }`.
    fn callback_answer(&mut self, table: &mut TableReader<'_>) -> Option<(u16, String)> {
        let (status, body) = CALLBACK_ANSWER;
        if table.node("answer").is_none() {
            return Some((status, body.to_owned()));
        }
        let mut answer = table.table("answer", self.findings)?;
        let status = match answer.node("status") {
            None => Some(status),
            Some(_) => {
                let given = answer.integer("status", 200..=299, self.findings);
                given.and_then(|given| u16::try_from(given.value).ok())
            }
        };
        let body = match answer.string("body", "\"OK\"", self.findings) {
            None => body.to_owned(),
            Some(text) if text.value.len() <= CALLBACK_BODY_MAX => text.value.to_owned(),
            Some(text) => {
                let message = format!("an answer has at most {CALLBACK_BODY_MAX} bytes");
                let help = "buyers look for a word or two".to_owned();
                self.findings.error("too_long", text.place, message, help);
                return None;
            }
        };
        answer.finish(self.findings);
        Some((status?, body))
    }
}

/// `least_timeout`, at most the ping's `timeout`; the outer nothing means that it is wrong.
fn least_timeout(
    table: &mut TableReader<'_>,
    ping: Option<&Stage<PingReply>>,
    findings: &mut Findings,
) -> Option<Option<Duration>> {
    if table.node("least_timeout").is_none() {
        return Some(None);
    }
    let least = table.duration("least_timeout", findings)?;
    let ceiling = ping.map_or(least.value, |ping| ping.plan.timeout);
    if least.value.is_zero() || least.value > ceiling {
        let message = "`least_timeout` is more than nothing and at most `timeout`".to_owned();
        let help = "write `timeout = \"700ms\"` and `least_timeout = \"150ms\"`, for example";
        findings.error("out_of_range", least.place, message, help.to_owned());
        return None;
    }
    Some(Some(least.value))
}

impl<R> Stage<R> {
    fn new(plan: Plan, reply: R) -> Self {
        let fixed = plan.fixed_words();
        Self { plan, fixed, reply }
    }
}

/// The source of the connector's tokens, from its `token` stage.
pub(super) fn grant(
    stage: Stage<ValuesReply>,
    signers: Arc<[Signer]>,
    place: &Place,
    findings: &mut Findings,
) -> Option<Grant> {
    let stage = TokenStage { plan: stage.plan, reply: stage.reply, signers };
    Grant::stage(stage)
        .map_err(|error| {
            let message = format!("the token cannot be asked for: {error}");
            let help = "see the findings of its stage".to_owned();
            findings.error("bad_template", place.clone(), message, help);
        })
        .ok()
}

/// Whether every resolver has what it needs.
pub(super) fn suits(
    resolve: &[(Resolver, Place)],
    stages: &Stages,
    findings: &mut Findings,
) -> bool {
    let mut complete = true;
    for (how, place) in resolve {
        let lacks = match how {
            Resolver::Repost if !stages.post.plan.mentions_idempotency_key() => (
                "no_idempotency_key",
                "`repost` sends a post again, which needs an idempotency key",
                "add `idempotency_key = { header = \"Idempotency-Key\" }` to the post",
            ),
            Resolver::Status if stages.status.is_none() => (
                "no_stage",
                "`status` asks the buyer, but the connector has no `status` stage",
                "add a table `status` with `url` and `reply`",
            ),
            Resolver::Void if stages.void.is_none() => (
                "no_stage",
                "`void` cancels a post, but the connector has no `void` stage",
                "add a table `void` with `url` and `reply`",
            ),
            Resolver::Callback if stages.callback.is_none() => (
                "no_stage",
                "`callback` waits for the buyer's call, but nothing says how it is read",
                "add a table `callback` with a `reply`",
            ),
            Resolver::Callback if !mentions_callback_url(stages) => (
                "no_callback_url",
                "`callback` waits for the buyer's call, but the buyer is never told where to call",
                "send `{{ callback_url }}` in the ping or the post",
            ),
            _ => continue,
        };
        let (code, message, help) = lacks;
        findings.error(code, place.clone(), message.to_owned(), help.to_owned());
        complete = false;
    }
    complete
}

fn mentions_callback_url(stages: &Stages) -> bool {
    let told = |plan: &Plan| plan.mentions_callback_url();
    told(&stages.post.plan)
        || stages.ping.as_ref().is_some_and(|stage| told(&stage.plan))
        || stages.pre_ping.as_ref().is_some_and(|stage| told(&stage.plan))
        || stages.pre_post.as_ref().is_some_and(|stage| told(&stage.plan))
}
