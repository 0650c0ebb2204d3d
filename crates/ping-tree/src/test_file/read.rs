//! x
use super::*;
pub(super) fn test_file(_: &Document, _: &Routing, _: &mut Findings) -> TestFile { TestFile { tree: None, source: None, cases: Vec::new() } }
