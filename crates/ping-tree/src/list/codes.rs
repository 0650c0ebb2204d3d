//! Lists of zips, which may be long and many: read digit by digit into a set of bits. A prefix is
//! written out as the zips that it stands for.

use std::ops::Range;
use std::sync::Arc;

use exchange_model::vertical::{normalise, state_of_zip};
use exchange_model::{Field, FieldType, Findings, SourceFile, Value};

use crate::filter::{CODES, Set, Zips, code};
use crate::list::lines;
use crate::list::report::Report;

/// The zips that exist, a bit each: by their first three digits.
pub(super) struct Known {
    bits: Vec<u64>,
}

impl Known {
    pub(super) fn new() -> Self {
        let mut bits = Bits::new();
        for prefix in 0..1_000_u32 {
            let first = prefix.saturating_mul(100);
            if state_of_zip(&format!("{first:05}")).next().is_some() {
                (first..first.saturating_add(100)).for_each(|zip| bits.add(zip));
            }
        }
        Self { bits: bits.0 }
    }

    fn has(&self, zip: u32) -> bool {
        let (word, bit) = place(zip);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

struct Bits(Vec<u64>);

impl Bits {
    fn new() -> Self {
        Self(vec![0; place(CODES).0.saturating_add(1)])
    }

    fn add(&mut self, zip: u32) {
        let _was_there = self.insert(zip);
    }

    /// Adds a code; false when it was there.
    fn insert(&mut self, zip: u32) -> bool {
        let (word, bit) = place(zip);
        let Some(word) = self.0.get_mut(word) else { return false };
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

fn place(zip: u32) -> (usize, u64) {
    (usize::try_from(zip / 64).unwrap_or(usize::MAX), 1 << (zip % 64))
}

pub(super) fn read(
    file: &Arc<SourceFile>,
    field: &Field,
    known: &Known,
    findings: &mut Findings,
) -> Set {
    let report = Report::new(file, field, findings);
    let mut reading = Reading { known, bits: Bits::new(), report };
    for (text, span) in lines::values(&file.text, &FieldType::UsZip) {
        match (code(text).filter(|zip| known.has(*zip)), text.strip_suffix('*')) {
            (Some(zip), _) => reading.zip(zip, span),
            (None, Some(prefix)) => reading.prefix(prefix, span),
            (None, None) => reading.other(text, span),
        }
    }
    reading.report.finish();
    Set::Zips(Zips::of_bits(&reading.bits.0))
}

struct Reading<'a> {
    known: &'a Known,
    bits: Bits,
    report: Report<'a>,
}

impl Reading<'_> {
    fn zip(&mut self, zip: u32, span: Range<usize>) {
        self.report.fill();
        if !self.bits.insert(zip) {
            self.report.twice(span, &format!("{zip:05}"));
        }
    }

    /// Every zip that begins so; only that nothing is new is worth a word.
    fn prefix(&mut self, prefix: &str, span: Range<usize>) {
        const WANTED: &str = "the first one to five digits of a zip before `*`";
        let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        let missing = 5_usize.checked_sub(prefix.len()).and_then(|n| u32::try_from(n).ok());
        let (Some(missing), true, false) = (missing, digits, prefix.is_empty()) else {
            return self.report.bad(span, WANTED);
        };
        let many = 10_u32.saturating_pow(missing);
        let first = prefix.parse::<u32>().unwrap_or(CODES).saturating_mul(many);
        let mut all = (first..first.saturating_add(many)).filter(|zip| self.known.has(*zip));
        let Some(one) = all.next() else {
            return self.report.bad(span, "a prefix of zips that exist; this range is not in use");
        };
        self.report.fill();
        let fresh = self.bits.insert(one);
        let fresh = all.fold(fresh, |fresh, zip| self.bits.insert(zip) || fresh);
        if !fresh {
            self.report.twice(span, &format!("{prefix}*"));
        }
    }

    /// A zip in another form, such as ZIP+4, or none at all.
    fn other(&mut self, text: &str, span: Range<usize>) {
        match normalise(&FieldType::UsZip, text) {
            Ok(Value::Text(zip)) => match code(&zip) {
                Some(zip) => self.zip(zip, span),
                None => self.report.bad(span, "a zip of five digits"),
            },
            Ok(_) => self.report.bad(span, "a zip of five digits"),
            Err(refused) => self.report.bad(span, &refused.wanted),
        }
    }
}
