//! `redirect`.

use exchange_model::{Findings, TableReader};
use url::Url;

use super::super::redirect::{Piece, RedirectRule};
use super::locators::Dialect;

const TEMPLATE: &str = "\"https://thanks.example/{{ post.ref }}\"";

impl Dialect<'_> {
    /// A place with a `base`, or a `template`.
    pub(super) fn redirect(
        &self,
        table: &mut TableReader<'_>,
        findings: &mut Findings,
    ) -> Option<RedirectRule> {
        let mut inner = table.table("redirect", findings)?;
        let rule = if inner.node("template").is_some() {
            let template = inner.parsed("template", TEMPLATE, pieces, findings);
            template.map(|pieces| RedirectRule::Template(pieces.value))
        } else {
            let base = inner.parsed("base", "\"https://www.acme.example/\"", base, findings);
            let at = self.locator(&mut inner, findings);
            at.map(|at| RedirectRule::At(at, base.map(|base| base.value)))
        };
        inner.finish(findings);
        rule
    }
}

fn base(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or("this is no web address")
}

fn pieces(text: &str) -> Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}").ok_or("`{{` has no `}}`")?;
        let name = inside.trim().strip_prefix("post.");
        let name = name.ok_or("only `post.ref` and other `post.<name>` are known here")?;
        pieces.push(Piece::Literal(before.to_owned()));
        pieces.push(Piece::Value(name.to_owned()));
        rest = after;
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web.then_some(pieces).ok_or("a template begins with `https://`")
}
