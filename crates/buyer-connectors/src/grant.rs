//! How a buyer's token is got, and read out of what its service says.
//!
//! What is asked is the same for every lead, so one token serves them all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::Timestamp;
use exchange_model::outcome::BidToken;
use ring::digest;

use crate::plan::Plan;
use crate::reply::{Fetched, RawReply, ValuesReply};
use crate::request::{EncodeError, Request};
use crate::sign::{Signed, Signer};
use crate::template::{Scalar, Source, Values};

/// Whole time of an OAuth2 token request.
const OAUTH2_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a token comes from.
pub(crate) struct Grant {
    how: How,
    /// A digest of everything that is asked, and of how the answer is read: the same credentials have the same token.
    key: [u8; 32],
}

enum How {
    /// RFC 6749, client credentials.
    OAuth2(Box<Request>),
    /// The connector's own `token` stage.
    Stage(Box<TokenStage>),
}

/// The `token` stage of a dialect.
#[derive(Debug)]
pub(crate) struct TokenStage {
    pub(crate) plan: Plan,
    pub(crate) reply: ValuesReply,
    pub(crate) signers: Arc<[Signer]>,
}

impl TokenStage {
    fn request(&self, now: Timestamp) -> Result<Request, EncodeError> {
        let mut request = self.plan.request(&At(now))?;
        for signer in self.signers.iter() {
            signer.sign(&mut request, Signed { id: "token", now })?;
        }
        Ok(request)
    }
}

/// Never what is asked: it holds credentials.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.how {
            How::OAuth2(_) => "OAuth2",
            How::Stage(_) => "TokenStage",
        })
    }
}

/// Two grants that ask the same and read it alike have the same token.
impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Grant {}

impl Grant {
    pub(crate) fn oauth2(request: Request) -> Self {
        let key = digest_of("oauth2", &request);
        Self { how: How::OAuth2(Box::new(request)), key }
    }

    pub(crate) fn stage(stage: TokenStage) -> Result<Self, EncodeError> {
        // How it is signed and how it is read belong to it: a file that is mended and loaded again
        // must not go on with what the old one has read.
        let request = stage.request(Timestamp::default())?;
        let read = format!("{:?} {:?}", stage.plan.timeout, stage.reply);
        let key = digest_of(&format!("stage {read}"), &request);
        Ok(Self { how: How::Stage(Box::new(stage)), key })
    }

    /// What is asked.
    pub(crate) fn request(&self, now: Timestamp) -> Result<Request, EncodeError> {
        match &self.how {
            How::OAuth2(request) => Ok(Request::clone(request)),
            How::Stage(stage) => stage.request(now),
        }
    }

    /// How long it may take.
    pub(crate) fn timeout(&self) -> Duration {
        match &self.how {
            How::OAuth2(_) => OAUTH2_TIMEOUT,
            How::Stage(stage) => stage.plan.timeout,
        }
    }

    /// Nothing when there is no token in it.
    pub(crate) fn read(&self, reply: &RawReply<'_>) -> Option<Fetched> {
        match &self.how {
            How::OAuth2(_) => oauth2_token(reply),
            How::Stage(stage) => stage.reply.read(reply),
        }
    }
}

fn digest_of(kind: &str, request: &Request) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let uri = request.uri.to_string();
    for part in [kind, request.method.as_str(), &uri] {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    for (name, value) in &request.headers {
        context.update(name.as_str().as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.update(&[0]);
    }
    context.update(&request.body);
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

/// The values of a `token` stage: the time, and nothing of any lead.
#[derive(Debug)]
struct At(Timestamp);

impl Values for At {
    fn value(&self, source: &Source) -> Option<Scalar<'_>> {
        match source {
            Source::Now => Some(Scalar::Moment(self.0)),
            _ => None,
        }
    }
}

/// RFC 6749 section 5.1.
fn oauth2_token(reply: &RawReply<'_>) -> Option<Fetched> {
    if reply.status != 200 {
        return None;
    }
    let json = exchange_model::strict_json::parse(reply.body).ok()?;
    let text = json.get("access_token")?.as_str()?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let lifetime = json.get("expires_in").and_then(|seconds| match seconds {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    });
    Some(Fetched {
        values: BidToken::single(text).tokens,
        expires_in: lifetime.map(Duration::from_secs),
    })
}
