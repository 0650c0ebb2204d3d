//! One request and its reply.
//!
//! What matters here is what is known when it fails: whether the request may have reached the
//! buyer. It may from the moment it is handed to a connection, unless the connection hands it back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use exchange_model::reason::NotSent;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, HOST, HeaderValue};
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use super::REPLY_MAX;
use super::connect::{Dialler, Sender};
use super::pool::{Origin, Pool};
use super::timings::{Timings, now};
use super::token::TokenSource;
use crate::request::Request;

/// How an exchange ended, before a dialect reads it.
#[derive(Debug)]
pub(super) enum Ending {
    /// The whole reply.
    Reply { status: u16, headers: HeaderMap, body: Bytes, encoded: bool },
    /// The request did not leave.
    NotSent(NotSent),
    /// The connection broke before the reply's head.
    Reset,
    /// The reply was cut off or too long.
    Truncated { status: u16 },
    /// The time was up with the request on its way.
    TimedOut,
    /// The time was up before the request could leave.
    NoTimeLeft,
}

/// Which requests an idle connection may carry, and what may be tried twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Ping,
    Post,
    Ask,
}

/// One exchange on its way.
pub(super) struct Attempt {
    pub(super) pool: Arc<Pool>,
    pub(super) dialler: Arc<Dialler>,
    pub(super) token: Option<Arc<TokenSource>>,
    pub(super) kind: Kind,
    /// How old an idle connection may be.
    pub(super) idle_max: Duration,
    pub(super) timeout: Duration,
    /// Whether a connection has the request at this moment.
    pub(super) on_its_way: AtomicBool,
}

/// What is known so far; it outlives an exchange that is cut.
pub(super) struct Progress {
    started: Instant,
    pub(super) timings: Timings,
    pub(super) status: Option<u16>,
    /// A connection whose reply is read whole.
    pub(super) reusable: Option<(Origin, Sender)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let timings = Timings::default();
        Self { started: now(), timings, status: None, reusable: None }
    }

    pub(super) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.started)
    }

    pub(super) fn finish(&mut self) -> Timings {
        self.timings.done = self.elapsed();
        self.timings
    }
}

impl Attempt {
    /// Runs something within twice the timeout. The second half is a drain: the auction has left,
    /// the answer is late, and the connection survives. Nothing: it was cut.
    pub(super) async fn bounded<A>(&self, work: impl Future<Output = A>) -> Option<A> {
        let mut work = std::pin::pin!(work);
        if let Ok(answer) = tokio::time::timeout(self.timeout, work.as_mut()).await {
            return Some(answer);
        }
        // What waits for a connection or a token will not be sent any more: say so at once.
        if !self.on_its_way.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(_drain) = Arc::clone(&self.pool.drains).try_acquire_owned() else {
            self.pool.count_cut();
            return None;
        };
        tokio::time::timeout(self.timeout, work).await.ok()
    }

    /// How an exchange ended that was cut.
    pub(super) fn cut(progress: &Progress) -> Ending {
        match progress.timings.sent {
            Some(_) => Ending::TimedOut,
            None => Ending::NoTimeLeft,
        }
    }

    /// Sends one request and reads its reply.
    pub(super) async fn exchange(&self, request: &Request, progress: &mut Progress) -> Ending {
        let token = match &self.token {
            None => None,
            Some(source) => match source.authorization().await {
                Some(token) => Some(token),
                None => return Ending::NotSent(NotSent::Token),
            },
        };
        let ending = self.exchange_with_retry(request, token.as_ref(), progress).await;
        if let (Ending::Reply { status: 401, .. }, Some(source), Some(token)) =
            (&ending, &self.token, &token)
        {
            source.forget(token);
        }
        ending
    }

    /// A ping that met a connection which the buyer was closing is sent once more, on a new one,
    /// while enough of its time is left. A post never is.
    async fn exchange_with_retry(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
        progress: &mut Progress,
    ) -> Ending {
        let idle = self.pool.checkout(&Origin::of(&request.uri), self.idle_max);
        let reused = idle.is_some();
        let first = self.once(request, token, idle, progress).await;
        let broken = matches!(first, Ending::Reset | Ending::NotSent(NotSent::Unwritten));
        let time_left = progress.elapsed().saturating_mul(5) < self.timeout.saturating_mul(3);
        if self.kind == Kind::Ping && reused && broken && time_left {
            progress.timings.sent = None;
            self.on_its_way.store(false, Ordering::Relaxed);
            return self.once(request, token, None, progress).await;
        }
        first
    }

    async fn once(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
        idle: Option<Sender>,
        progress: &mut Progress,
    ) -> Ending {
        progress.timings.reused = idle.is_some();
        let mut sender = match idle {
            Some(sender) => sender,
            None => match self.pool.open(&self.dialler, &request.uri).await {
                Ok(sender) => sender,
                Err(why) => return Ending::NotSent(why),
            },
        };
        progress.timings.connected = Some(progress.elapsed());
        if progress.elapsed() >= self.timeout {
            // The auction has left: what has not left by now stays here.
            progress.reusable = Some((Origin::of(&request.uri), sender));
            return Ending::NoTimeLeft;
        }
        let Some(written) = written(request, token) else {
            return Ending::NotSent(NotSent::Unrendered);
        };
        progress.timings.sent = Some(progress.elapsed());
        self.on_its_way.store(true, Ordering::Relaxed);
        match sender.try_send_request(written).await {
            Ok(response) => {
                self.reply(response, (Origin::of(&request.uri), sender), progress).await
            }
            Err(mut error) => match error.take_message() {
                Some(_handed_back) => {
                    progress.timings.sent = None;
                    self.on_its_way.store(false, Ordering::Relaxed);
                    Ending::NotSent(NotSent::Unwritten)
                }
                None => Ending::Reset,
            },
        }
    }

    async fn reply(
        &self,
        response: http::Response<Incoming>,
        connection: (Origin, Sender),
        progress: &mut Progress,
    ) -> Ending {
        progress.timings.first_byte = Some(progress.elapsed());
        let status = response.status().as_u16();
        progress.status = Some(status);
        let (head, body) = response.into_parts();
        let encoded = is_encoded(&head.headers);
        match whole_body(body).await {
            Some(body) => {
                progress.reusable = Some(connection);
                Ending::Reply { status, headers: head.headers, body, encoded }
            }
            None => Ending::Truncated { status },
        }
    }
}

/// A reply that is compressed although we asked for none is never decompressed.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The whole body, or nothing when it is too long or broke off.
async fn whole_body(mut body: Incoming) -> Option<Bytes> {
    let limit = u64::try_from(REPLY_MAX).unwrap_or(u64::MAX);
    if body.size_hint().lower() > limit {
        return None;
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if read.len().saturating_add(data.len()) > REPLY_MAX {
            return None;
        }
        read.extend_from_slice(&data);
    }
    Some(read.freeze())
}

/// The request in the form that goes on the wire: path and query only, the host as a header.
fn written(request: &Request, token: Option<&HeaderValue>) -> Option<http::Request<Full<Bytes>>> {
    let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = request.uri.authority()?;
    let mut wire = http::Request::new(Full::new(request.body.clone()));
    *wire.method_mut() = request.method.clone();
    *wire.uri_mut() = path.parse::<Uri>().ok()?;
    *wire.headers_mut() = request.headers.clone();
    wire.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str()).ok()?);
    if let Some(token) = token {
        wire.headers_mut().insert(AUTHORIZATION, token.clone());
    }
    Some(wire)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;

    use super::*;
    use crate::transport::connect::tls_config;
    use crate::transport::settings::TransportSettings;

    fn attempt(kind: Kind, timeout: Duration) -> Attempt {
        let settings = Arc::new(TransportSettings::default());
        let tls = tls_config(&[]).unwrap();
        Attempt {
            pool: Arc::new(Pool::new(&settings)),
            dialler: Arc::new(Dialler::new(Arc::clone(&settings), tls)),
            token: None,
            kind,
            idle_max: settings.idle_max,
            timeout,
            on_its_way: AtomicBool::new(false),
        }
    }

    fn post() -> Request {
        Request {
            method: Method::POST,
            uri: Uri::from_static("https://bids.example/post"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
            echo: None,
        }
    }

    #[tokio::test]
    async fn a_request_that_the_connection_hands_back_was_not_sent() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let (sender, connection) =
            http1::handshake::<_, Full<Bytes>>(TokioIo::new(ours)).await.unwrap();
        let (attempt, mut progress) =
            (attempt(Kind::Post, Duration::from_secs(1)), Progress::new());
        let post = post();
        let exchange = attempt.once(&post, None, Some(sender), &mut progress);
        let (ending, ()) = tokio::join!(exchange, async { drop(connection) });
        assert!(matches!(ending, Ending::NotSent(NotSent::Unwritten)), "{ending:?}");
        assert_eq!(progress.timings.sent, None);
        let mut arrived = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut theirs, &mut arrived).await.unwrap();
        assert!(arrived.is_empty());
    }

    #[tokio::test]
    async fn what_has_not_left_in_time_does_not_leave() {
        let (ours, _theirs) = tokio::io::duplex(1024);
        let (sender, _connection) =
            http1::handshake::<_, Full<Bytes>>(TokioIo::new(ours)).await.unwrap();
        let (attempt, mut progress) = (attempt(Kind::Post, Duration::ZERO), Progress::new());
        let ending = attempt.once(&post(), None, Some(sender), &mut progress).await;
        assert!(matches!(ending, Ending::NoTimeLeft), "{ending:?}");
        assert!(progress.reusable.is_some());
    }
}
