//! Findings for people, for machines and for screen readers, all from the same facts.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use exchange_model::{Finding, Findings, Place, Severity};
use serde::Serialize;

use crate::cli::output::{Output, counted};

/// Most findings printed in full; the rest are counted.
pub(crate) const PRINTED_MAX: usize = 20;

/// How findings look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Look {
    /// With the line of the file and a mark under what is wrong.
    Full,
    /// One line each, without graphics.
    Plain,
}

/// One finding, for machines.
#[derive(Debug, Serialize)]
pub(crate) struct JsonFinding<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    label: &'a str,
    help: &'a str,
}

impl<'a> From<&'a Finding> for JsonFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        let at = finding.place.as_ref().map(Place::line_column);
        Self {
            severity: word(finding.severity),
            code: finding.code,
            message: &finding.message,
            file: finding.place.as_ref().map(|place| place.file.path.as_str()),
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            label: &finding.label,
            help: &finding.help,
        }
    }
}

/// How many errors and how many warnings.
pub(crate) fn counts(findings: &Findings) -> (usize, usize) {
    let all = findings.sorted();
    let errors = all.iter().filter(|finding| finding.severity == Severity::Error).count();
    (errors, all.len().saturating_sub(errors))
}

/// Prints findings, errors before warnings, at most [`PRINTED_MAX`] of them.
pub(crate) fn print(findings: &Findings, look: Look, out: Output) -> std::io::Result<()> {
    for part in shown(findings, look) {
        out.data(part)?;
    }
    Ok(())
}

/// What [`print`] prints, part by part.
pub(crate) fn shown(findings: &Findings, look: Look) -> Vec<String> {
    let mut all = findings.sorted();
    all.sort_by_key(|finding| finding.severity);
    let part = |finding: &&Finding| match look {
        Look::Full => format!("{}\n", full(finding)),
        Look::Plain => plain(finding),
    };
    let mut parts: Vec<String> = all.iter().take(PRINTED_MAX).map(part).collect();
    let left = all.len().saturating_sub(PRINTED_MAX);
    if left > 0 {
        parts.push(format!("and {} more", counted(left, "finding")));
    }
    parts
}

/// The finding with its line and a mark under the text it is about.
pub(crate) fn full(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.code);
    let help = Level::HELP.message(finding.help.as_str());
    let report = match &finding.place {
        Some(place) => {
            let mut mark = AnnotationKind::Primary.span(marked(place));
            if !finding.label.is_empty() {
                mark = mark.label(finding.label.as_str());
            }
            let snippet = Snippet::source(place.file.text.as_str())
                .path(place.file.path.as_str())
                .annotation(mark);
            title.element(snippet).element(help)
        }
        None => title.element(help),
    };
    Renderer::styled().render(&[report])
}

/// The marked bytes on one line of the text: a table of many lines is marked by its first.
fn marked(place: &Place) -> Range<usize> {
    let text = place.file.text.as_str();
    let inside = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let start = inside(place.span.start).unwrap_or(0);
    let end = inside(place.span.end).unwrap_or(start).max(start);
    let line_end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(end, |n| start + n);
    start..end.min(line_end.max(start))
}

/// `error contact_in_ping, config/buyers/acme.toml line 52 column 14: ... Help: ...`
pub(crate) fn plain(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| {
        let (line, column) = place.line_column();
        format!(", {} line {line} column {column}", place.file.path)
    });
    let label =
        if finding.label.is_empty() { String::new() } else { format!(" ({})", finding.label) };
    format!(
        "{} {}{}: {}{label}. Help: {}",
        word(finding.severity),
        finding.code,
        place.unwrap_or_default(),
        finding.message,
        finding.help,
    )
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use exchange_model::SourceFile;
    use expect_test::expect;

    use super::*;

    fn finding(text: &str, span: Range<usize>) -> Finding {
        let file = SourceFile { path: "config/trees/auto.toml".into(), text: text.into() };
        Finding {
            severity: Severity::Error,
            code: "unknown_campaign",
            message: "no campaign is called `metro/auot`".to_owned(),
            place: Some(Place { file: Arc::new(file), span }),
            label: "used in tier `open`".to_owned(),
            help: "did you mean `metro/auto`?".to_owned(),
        }
    }

    fn unstyled(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_finding_shows_its_line_and_what_to_write_instead() {
        let shown = full(&finding("schema = 1\nmembers = [\"metro/auot\"]\n", 22..34));
        expect![[r#"
            error[unknown_campaign]: no campaign is called `metro/auot`
             --> config/trees/auto.toml:2:12
              |
            2 | members = ["metro/auot"]
              |            ^^^^^^^^^^^^ used in tier `open`
              |
              = help: did you mean `metro/auto`?"#]]
        .assert_eq(&unstyled(&shown));
    }

    #[test]
    fn a_table_of_many_lines_is_marked_by_its_first() {
        let place = finding("[a]\nb = 1\nc = 2\n", 0..15).place.unwrap();
        assert_eq!(marked(&place), 0..3);
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_moved_not_fatal() {
        assert_eq!(marked(&finding("é", 1..9).place.unwrap()), 0..2);
        assert_eq!(marked(&finding("", 5..9).place.unwrap()), 0..0);
    }

    #[test]
    fn a_screen_reader_gets_one_line_without_graphics() {
        expect!["error unknown_campaign, config/trees/auto.toml line 2 column 12: no campaign is called `metro/auot` (used in tier `open`). Help: did you mean `metro/auto`?"]
            .assert_eq(&plain(&finding("schema = 1\nmembers = [\"metro/auot\"]\n", 22..34)));
    }
}
