//! How often a buyer is asked what became of a post.

use std::sync::Arc;
use std::time::Duration;

/// One step of the ladder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PollStep {
    /// The pause between two questions.
    pub every: Duration,
    /// Up to this age of the post.
    pub until: Duration,
}

/// A ladder of pauses: dense at first, then thinner, then none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PollSchedule {
    steps: Arc<[PollStep]>,
}

/// What a `status` stage without `poll` does.
const DEFAULT: [PollStep; 4] = [
    PollStep { every: Duration::from_secs(1), until: Duration::from_secs(10) },
    PollStep { every: Duration::from_secs(2), until: Duration::from_secs(30) },
    PollStep { every: Duration::from_secs(5), until: Duration::from_secs(120) },
    PollStep { every: Duration::from_secs(20), until: Duration::from_secs(300) },
];

impl Default for PollSchedule {
    fn default() -> Self {
        Self { steps: Arc::new(DEFAULT) }
    }
}

impl PollSchedule {
    /// A ladder whose steps rise in `until`; each pause is more than nothing.
    #[must_use]
    pub fn new(steps: Vec<PollStep>) -> Self {
        Self { steps: steps.into() }
    }

    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[PollStep] {
        &self.steps
    }

    /// The pause before the next question, for a post of this age; nothing when the ladder has
    /// ended.
    #[must_use]
    pub fn pause(&self, age: Duration) -> Option<Duration> {
        self.steps.iter().find(|step| age < step.until).map(|step| step.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_thin_out_and_end() {
        let second = Duration::from_secs(1);
        let ladder = PollSchedule::new(vec![
            PollStep { every: second, until: second * 10 },
            PollStep { every: second * 5, until: second * 300 },
        ]);
        let pauses = [0, 9, 10, 299, 300].map(|age| ladder.pause(second * age));
        let expected = [Some(1), Some(1), Some(5), Some(5), None];
        assert_eq!(pauses, expected.map(|pause| pause.map(Duration::from_secs)));
    }
}
