//! `scheme = "standard_webhooks"` and `scheme = "hmac"`.

use exchange_model::Place;
use exchange_model::document::Spanned;
use ring::hmac;

use super::{Auth, Reader};
use crate::sign::{HmacSigner, Part, Signer};
use crate::template::{Piece, pieces};

/// What may stand in `of`, beside secrets and vars.
const WORDS: &str = "body, timestamp, id, method, path";

impl Reader<'_, '_> {
    pub(super) fn standard_webhooks(&mut self, auth: &mut Auth) -> Option<()> {
        let secret = self.secret()?;
        let Some(signer) = Signer::standard_webhooks(secret.reveal()) else {
            let message = "the secret begins with `whsec_`, but what follows is no base64";
            let help = "copy it whole, as the buyer shows it".to_owned();
            let place = self.table.own_place();
            self.findings.error("bad_secret", place, message.to_owned(), help);
            return None;
        };
        auth.signers.push(signer);
        Some(())
    }

    pub(super) fn hmac(&mut self, auth: &mut Auth) -> Option<()> {
        let header = self.header_name("header");
        let secret = self.secret();
        let hashes = [
            ("sha256", hmac::HMAC_SHA256),
            ("sha1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            ("sha512", hmac::HMAC_SHA512),
        ];
        let hash = match self.table.node("hash") {
            None => Some(hmac::HMAC_SHA256),
            Some(_) => self.table.one_of("hash", &hashes, self.findings).map(|hash| hash.value),
        };
        let hex = match self.table.node("encoding") {
            None => Some(true),
            Some(_) => {
                let words = [("hex", true), ("base64", false)];
                self.table.one_of("encoding", &words, self.findings).map(|coding| coding.value)
            }
        };
        let prefix = self.table.string("prefix", "\"sha256=\"", self.findings);
        let of = match self.table.node("of") {
            None => Some(vec![Part::Body]),
            Some(_) => {
                let text = self.table.string("of", "\"{{ timestamp }}.{{ body }}\"", self.findings);
                text.and_then(|text| self.parts(&text))
            }
        };
        auth.signers.push(Signer::Hmac(HmacSigner {
            key: hmac::Key::new(hash?, secret?.reveal().as_bytes()),
            header: header?,
            of: of?.into(),
            hex: hex?,
            prefix: prefix.map_or("", |prefix| prefix.value).into(),
        }));
        Some(())
    }

    fn parts(&mut self, text: &Spanned<&str>) -> Option<Vec<Part>> {
        let read = match pieces(text.value) {
            Ok(read) => read,
            Err((_span, why)) => {
                let help = format!("known here are {WORDS}, secrets and vars");
                self.findings.error("bad_template", text.place.clone(), why.to_owned(), help);
                return None;
            }
        };
        let mut parts = Vec::with_capacity(read.len());
        for piece in read {
            parts.push(match piece {
                Piece::Literal(text) => Part::Literal(text.into()),
                Piece::Placeholder(placeholder) if placeholder.filters.is_empty() => {
                    self.part(placeholder.source, &text.place)?
                }
                Piece::Placeholder(_) => {
                    let message = "no filter works on what is signed".to_owned();
                    let help = format!("known here are {WORDS}, secrets and vars");
                    self.findings.error("bad_filter", text.place.clone(), message, help);
                    return None;
                }
            });
        }
        Some(parts)
    }

    fn part(&mut self, word: &str, place: &Place) -> Option<Part> {
        if let Some(name) = word.strip_prefix("secret.") {
            let secret = self.shared.secrets.required(name, place, self.findings)?;
            return Some(Part::Literal(secret.reveal().into()));
        }
        let var = word.strip_prefix("var.").and_then(|name| self.shared.vars.get(name));
        if let Some(text) = var {
            return Some(Part::Literal((**text).into()));
        }
        let part = Part::from_word(word);
        if part.is_none() {
            let message = format!("`{word}` is not known in what is signed");
            let help = format!("known here are {WORDS}, secrets and vars");
            self.findings.error("unknown_source", place.clone(), message, help);
        }
        part
    }
}
