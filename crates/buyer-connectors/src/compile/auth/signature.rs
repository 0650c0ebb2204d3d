//! `scheme = "standard_webhooks"`, `scheme = "hmac"` and `scheme = "digest"`.

use exchange_model::Place;
use exchange_model::document::Spanned;
use ring::hmac;

use super::{Auth, Reader};
use crate::compile::reading;
use crate::sign::{HmacSigner, Part, Sealing, Signer};
use crate::template::{Coding, Digest, Piece, pieces};

/// What may stand in `of`, beside secrets and vars.
const WORDS: &str = "body, timestamp, id, method, path, header.name";

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
        let secret = self.secret();
        let hash = self.hash(Digest::Sha256);
        let keyed = hash.and_then(|hash| {
            if hash.keyed_algorithm().is_none() {
                let message = "no HMAC is made of md5".to_owned();
                let help =
                    "write `scheme = \"digest\"` where the secret is part of the text".to_owned();
                self.findings.error("bad_value", self.table.own_place(), message, help);
            }
            hash.keyed_algorithm()
        });
        let key = keyed
            .zip(secret)
            .map(|(how, secret)| Sealing::Keyed(hmac::Key::new(how, secret.reveal().as_bytes())));
        self.sealed(key, auth)
    }

    /// A hash of a text in which a secret may stand.
    pub(super) fn digest(&mut self, auth: &mut Auth) -> Option<()> {
        let hash = self.hash(Digest::Sha256);
        self.sealed(hash.map(Sealing::Plain), auth)
    }

    fn hash(&mut self, otherwise: Digest) -> Option<Digest> {
        match self.table.node("hash") {
            None => Some(otherwise),
            Some(_) => {
                self.table.one_of("hash", Digest::WORDS, self.findings).map(|hash| hash.value)
            }
        }
    }

    fn sealed(&mut self, how: Option<Sealing>, auth: &mut Auth) -> Option<()> {
        let header = self.header_name("header");
        let coding = match self.table.node("encoding") {
            None => Some(Coding::Hex),
            Some(_) => self
                .table
                .one_of("encoding", Coding::WORDS, self.findings)
                .map(|coding| coding.value),
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
            how: how?,
            header: header?,
            of: of?.into(),
            coding: coding?,
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
                Piece::Placeholder(placeholder) => {
                    let part = self.part(placeholder.source, &text.place)?;
                    let calls = &placeholder.filters;
                    let filters =
                        reading::compiled(self.shared, calls, &text.place, self.findings)?;
                    if filters.is_empty() { part } else { Part::Filtered(Box::new(part), filters) }
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
