//! One request and its reply.
//!
//! What matters here is what is known when it fails: whether the request may have reached the
//! buyer. It may from the moment it is handed to a connection, unless the connection hands it back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use exchange_model::outcome::PostAnswer;
use exchange_model::reason::NotSent;
use http::header::{CONTENT_ENCODING, HOST, HeaderValue};
use http::{HeaderMap, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::Instant;

use super::REPLY_MAX;
use super::breaker::Health;
use super::connect::{Connection, Dialler};
use super::pool::{Origin, Pool};
use super::timings::{Timings, now};
use super::token::TokenSource;
use crate::identity::Identity;
use crate::request::Request;

/// How an exchange ended, before a dialect reads it.
#[derive(Clone)]
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

/// What happened and the status; a reply may repeat the lead.
impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { status, body, .. } => {
                let bytes = body.len();
                f.debug_struct("Reply").field("status", status).field("bytes", &bytes).finish()
            }
            Self::NotSent(why) => f.debug_tuple("NotSent").field(why).finish(),
            Self::Reset => f.write_str("Reset"),
            Self::Truncated { status } => f.debug_tuple("Truncated").field(status).finish(),
            Self::TimedOut => f.write_str("TimedOut"),
            Self::NoTimeLeft => f.write_str("NoTimeLeft"),
        }
    }
}

impl Ending {
    /// What it says about the buyer. A reply is a good sign whatever it says, unless it is a
    /// server error; what ended by time is judged by whoever set the time.
    fn health(&self) -> Health {
        match self {
            Self::Reply { status, .. } if (500..600).contains(status) => Health::Bad,
            Self::Reply { .. } => Health::Good,
            Self::Reset | Self::Truncated { .. } => Health::Bad,
            Self::NotSent(NotSent::Dns | NotSent::Connect | NotSent::Tls) => Health::Bad,
            Self::NotSent(_) | Self::TimedOut | Self::NoTimeLeft => Health::Unsaid,
        }
    }
}

/// The way to one buyer.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) pool: Arc<Pool>,
    pub(super) dialler: Arc<Dialler>,
    /// Our certificate, where the buyer wants one.
    pub(super) identity: Option<Arc<Identity>>,
    /// How old an idle connection may be.
    pub(super) idle_max: Duration,
    /// Whether it only fetches tokens.
    pub(super) for_tokens: bool,
}

/// Several calls within one deadline.
pub(super) struct Attempt {
    pub(super) line: Line,
    pub(super) token: Option<Arc<TokenSource>>,
    pub(super) timeout: Duration,
    /// Whether a connection has the deciding request at this moment.
    pub(super) on_its_way: AtomicBool,
}

/// What is known so far; it outlives an exchange that is cut.
pub(super) struct Progress {
    started: Instant,
    pub(super) timings: Timings,
    pub(super) status: Option<u16>,
    pub(super) health: Health,
    /// The answer, should the call after it be cut off.
    pub(super) standing: Option<PostAnswer>,
    /// A connection whose reply is read whole.
    pub(super) reusable: Option<(Origin, Connection)>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let timings = Timings::default();
        Self {
            started: now(),
            timings,
            status: None,
            health: Health::Unsaid,
            standing: None,
            reusable: None,
        }
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
        // What waits for a connection or for another call will not be sent any more: say so.
        if !self.on_its_way.load(Ordering::Relaxed) {
            return None;
        }
        let Ok(_drain) = Arc::clone(&self.line.pool.drains).try_acquire_owned() else {
            self.line.pool.count_cut();
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

    /// Sends the request that decides, and reads its reply.
    pub(super) async fn decide(
        &self,
        request: &Request,
        repeats: bool,
        progress: &mut Progress,
    ) -> Ending {
        let call = Call { on_its_way: &self.on_its_way, limit: self.timeout, repeats };
        let ending = self.line.exchange(request, call, progress).await;
        progress.health = ending.health();
        ending
    }

    /// Sends another request of the same delivery, within the time that is left for it.
    pub(super) async fn aside(
        &self,
        request: &Request,
        repeats: bool,
        limit: Duration,
        progress: &mut Progress,
    ) -> Ending {
        let ending = self.line.aside(request, repeats, limit).await;
        progress.health = ending.health();
        ending
    }
}

/// How one call is made.
#[derive(Clone, Copy)]
struct Call<'a> {
    on_its_way: &'a AtomicBool,
    /// What has not left by then stays here.
    limit: Duration,
    /// Whether a connection that broke is no reason not to send it once more.
    repeats: bool,
}

impl Line {
    /// Whether the other leads to the same place in the same guise.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pool, &other.pool) && self.identity == other.identity
    }

    pub(super) fn origin(&self, uri: &Uri) -> Origin {
        Origin::of(uri, self.identity.as_ref())
    }

    /// Opens a connection, or waits for its opening to fail.
    pub(super) async fn open(&self, uri: &Uri) -> Result<Connection, NotSent> {
        self.pool.open(&self.dialler, uri, self.identity.as_ref()).await
    }

    /// A whole exchange of its own, within `limit`.
    pub(super) async fn aside(&self, request: &Request, repeats: bool, limit: Duration) -> Ending {
        let (mut progress, on_its_way) = (Progress::new(), AtomicBool::new(false));
        let call = Call { on_its_way: &on_its_way, limit, repeats };
        let exchange = self.exchange(request, call, &mut progress);
        let ending = tokio::time::timeout(limit, exchange).await;
        if let Some((origin, connection)) = progress.reusable.take() {
            let pool = Arc::clone(&self.pool);
            tokio::spawn(async move { pool.park_when_ready(origin, connection).await });
        }
        ending.unwrap_or_else(|_elapsed| Attempt::cut(&progress))
    }

    async fn exchange(&self, request: &Request, call: Call<'_>, progress: &mut Progress) -> Ending {
        let Some(watch) = self.dialler.watch() else {
            return self.unwatched(request, call, progress).await;
        };
        watch.sending(request, self.for_tokens);
        let ending = self.unwatched(request, call, progress).await;
        watch.ended(&ending);
        ending
    }

    /// What may be repeated and met a connection which the buyer was closing is sent once more, on
    /// a new one, while enough of its time is left. A post never is.
    async fn unwatched(
        &self,
        request: &Request,
        call: Call<'_>,
        progress: &mut Progress,
    ) -> Ending {
        let idle = self.pool.checkout(&self.origin(&request.uri), self.idle_max);
        let reused = idle.is_some();
        let first = self.once(request, call, idle, progress).await;
        let broken = matches!(first, Ending::Reset | Ending::NotSent(NotSent::Unwritten));
        let time_left = progress.elapsed().saturating_mul(5) < call.limit.saturating_mul(3);
        if call.repeats && reused && broken && time_left {
            progress.timings.sent = None;
            call.on_its_way.store(false, Ordering::Relaxed);
            return self.once(request, call, None, progress).await;
        }
        first
    }

    async fn once(
        &self,
        request: &Request,
        call: Call<'_>,
        idle: Option<Connection>,
        progress: &mut Progress,
    ) -> Ending {
        progress.timings.reused = idle.is_some();
        let mut connection = match idle {
            Some(connection) => connection,
            None => match self.open(&request.uri).await {
                Ok(connection) => connection,
                Err(why) => return Ending::NotSent(why),
            },
        };
        progress.timings.connected = Some(progress.elapsed());
        if progress.elapsed() >= call.limit {
            // The auction has left: what has not left by now stays here.
            progress.reusable = Some((self.origin(&request.uri), connection));
            return Ending::NoTimeLeft;
        }
        let Some(written) = written(request) else {
            return Ending::NotSent(NotSent::Unrendered);
        };
        progress.timings.sent = Some(progress.elapsed());
        call.on_its_way.store(true, Ordering::Relaxed);
        connection.allowance.renew();
        match connection.sender.try_send_request(written).await {
            Ok(response) => {
                reply(response, (self.origin(&request.uri), connection), progress).await
            }
            Err(mut error) => match error.take_message() {
                Some(_handed_back) => {
                    progress.timings.sent = None;
                    call.on_its_way.store(false, Ordering::Relaxed);
                    Ending::NotSent(NotSent::Unwritten)
                }
                None => Ending::Reset,
            },
        }
    }
}

async fn reply(
    response: http::Response<Incoming>,
    connection: (Origin, Connection),
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
fn written(request: &Request) -> Option<http::Request<Full<Bytes>>> {
    let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = request.uri.authority()?;
    let mut wire = http::Request::new(Full::new(request.body.clone()));
    *wire.method_mut() = request.method.clone();
    *wire.uri_mut() = path.parse::<Uri>().ok()?;
    *wire.headers_mut() = request.headers.clone();
    wire.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str()).ok()?);
    Some(wire)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;

    use super::*;
    use crate::transport::connect::{Names, http};
    use crate::transport::metered::Allowance;
    use crate::transport::settings::TransportSettings;

    #[test]
    fn what_a_buyer_has_said_is_not_shown() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("jane@lead.example"));
        let body = Bytes::from_static(b"jane@lead.example");
        let shown = format!("{:?}", Ending::Reply { status: 200, headers, body, encoded: true });
        assert!(shown.contains("200") && !shown.contains("jane"), "{shown}");
    }

    fn line() -> Line {
        let settings = Arc::new(TransportSettings::default());
        let idle_max = settings.idle_max;
        let pool = Arc::new(Pool::new(&settings));
        let dialler = Arc::new(Dialler::new(settings, Names::System).unwrap());
        Line { pool, dialler, identity: None, idle_max, for_tokens: false }
    }

    fn call(on_its_way: &AtomicBool, limit: Duration) -> Call<'_> {
        Call { on_its_way, limit, repeats: false }
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
        let (sender, driver) =
            http1::handshake::<_, Full<Bytes>>(TokioIo::new(ours)).await.unwrap();
        let connection = Connection { sender, allowance: Allowance::new() };
        let (line, mut progress, on_its_way) = (line(), Progress::new(), AtomicBool::new(false));
        let post = post();
        let call = call(&on_its_way, Duration::from_secs(1));
        let exchange = line.once(&post, call, Some(connection), &mut progress);
        let (ending, ()) = tokio::join!(exchange, async { drop(driver) });
        assert!(matches!(ending, Ending::NotSent(NotSent::Unwritten)), "{ending:?}");
        assert_eq!(progress.timings.sent, None);
        let mut arrived = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut theirs, &mut arrived).await.unwrap();
        assert!(arrived.is_empty());
    }

    #[tokio::test]
    async fn what_has_not_left_in_time_does_not_leave() {
        let (ours, _theirs) = tokio::io::duplex(1024);
        let connection = http(ours).await.unwrap();
        let (line, mut progress, on_its_way) = (line(), Progress::new(), AtomicBool::new(false));
        let call = call(&on_its_way, Duration::ZERO);
        let ending = line.once(&post(), call, Some(connection), &mut progress).await;
        assert!(matches!(ending, Ending::NoTimeLeft), "{ending:?}");
        assert!(progress.reusable.is_some());
    }
}
