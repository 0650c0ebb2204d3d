//! Random lists of ways and random answers against the work on one lost answer, from seeds.

use std::collections::BTreeSet;

use super::super::simulation::Dice;
use super::lost_answers::open_attempt;
use super::*;
use crate::resolution::{Resolution, ResolutionCommand, ResolutionEvent};

const SEEDS: u64 = 2_000;
const ANSWERS: [&[&str]; 9] = [
    &["lost", "timeout"],
    &["lost", "unreadable"],
    &["unsent", "connect"],
    &["pending", "job8"],
    &["rejects", "duplicate"],
    &["accepts"],
    &["accepts", "11.00"],
    &["rejects", "voided"],
    &["rejects", "filter"],
];

/// Whether this settles the outcome; written apart from the core.
fn settles(how: Option<Resolver>, said: &[&str], repeated: bool) -> bool {
    match (how, said) {
        (Some(Resolver::Void), said) => said == ["rejects", "voided"],
        (_, ["lost" | "pending", ..]) => false,
        (how, ["unsent", ..]) => how.is_none() && !repeated,
        (how, ["rejects", "duplicate"]) => how != Some(Resolver::Repost) && !repeated,
        _ => true,
    }
}

struct World {
    dice: Dice,
    work: Resolution,
    listed: Vec<Resolver>,
    /// Ways that gave nothing since the last cancellation.
    tried: BTreeSet<Resolver>,
    repeated: bool,
    settled: bool,
    commits: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let words = ["repost", "status", "callback", "void"];
        let count = dice.below(5);
        let mut list: Vec<&str> = Vec::new();
        for _ in 0..count {
            let word = dice.one_of(&words);
            if !list.contains(&word) {
                list.push(word);
            }
        }
        let listed = list.iter().map(|word| resolver(word)).collect();
        let ways = ways(&list.join(","), Some("700-9000"));
        let work = Resolution::new(at_ms("400"), open_attempt("bolt change lower"), ways);
        let tried = BTreeSet::new();
        Self { dice, work, listed, tried, repeated: false, settled: false, commits: 0 }
    }

    fn hear(&mut self, now: Timestamp, how: Option<Resolver>) {
        let choices = if self.dice.percent(5) { 9 } else { 5 };
        let said = ANSWERS[usize::try_from(self.dice.below(choices)).unwrap()];
        self.settled |= settles(how, said, self.repeated);
        let said = answer(said);
        self.work.handle(
            now,
            match how {
                Some(how) => ResolutionEvent::AskAnswer(how, said),
                None => ResolutionEvent::PostAnswer(said),
            },
        );
    }

    fn check_question(&mut self, how: Resolver) {
        assert!(!self.settled, "asked although the outcome is known");
        assert!(self.listed.contains(&how) && how != Resolver::Callback);
        if how == Resolver::Void {
            let before = self.listed.iter().take_while(|listed| **listed != Resolver::Void);
            let skipped =
                before.clone().find(|way| **way != Resolver::Callback && !self.tried.contains(way));
            assert_eq!(skipped, None, "cancelled before everything else was tried");
            self.tried.clear();
        }
        self.repeated |= how == Resolver::Repost;
        self.tried.insert(how);
    }

    fn persist(&mut self, now: Timestamp, commit: &Commit) {
        let concluded = commit.concluded.as_ref().unwrap();
        let doubt = matches!(concluded.outcome, AttemptOutcome::Unknown(..));
        assert_eq!(doubt, !self.settled, "{:?}", concluded.outcome);
        self.commits += u32::from(!doubt);
        self.work.handle(now, ResolutionEvent::Durable);
    }

    fn run(&mut self) {
        let mut now = at_ms("400");
        for _ in 0..2_000 {
            match self.work.poll() {
                ResolutionCommand::Ask(how) => {
                    self.check_question(how);
                    now = now.after(MS(self.dice.below(3_000)));
                    self.hear(now, Some(how));
                }
                ResolutionCommand::Persist(commit) => self.persist(now, &commit),
                ResolutionCommand::Wait(_) if self.dice.percent(5) => self.hear(now, None),
                ResolutionCommand::Wait(at) => {
                    assert!(at >= now || self.work.open().intent.resolve_by >= now);
                    now = now.max(at);
                    self.work.handle(now, ResolutionEvent::Timer);
                }
                ResolutionCommand::Done => {
                    assert_eq!(self.settled, self.commits > 0, "what is known is durable");
                    assert!(self.settled || self.work.open().intent.resolve_by <= now);
                    return;
                }
            }
        }
        panic!("the work does not end");
    }
}

#[test]
fn whatever_a_buyer_says_a_lost_answer_is_settled_once_or_left_to_a_person() {
    let mut settled = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.run();
        settled += u32::from(world.settled);
    }
    assert!((200..u32::try_from(SEEDS).unwrap()).contains(&settled), "{settled} were settled");
}
