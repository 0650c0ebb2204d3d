//! The shared server loop: connections, one request at a time, and the faults.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::answer::{Reply, Request};
use super::body::{ReplyBody, gzip_bomb};
use super::buyer::{Buyer, Quirk};
use crate::faults::{Fault, HUGE_BODY_BYTES};

/// Most connections of one buyer; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 4096;
/// Largest request body a buyer reads.
const REQUEST_BODY_MAX: usize = 1 << 20;

pub(crate) type HttpRequest = http::Request<Incoming>;
pub(crate) type HttpResponse = Response<ReplyBody>;

/// Whoever answers behind the socket.
pub(crate) trait Host: Send + Sync + 'static {
    /// Answers one request. To reset its connection, notify `reset` and never return.
    fn handle(
        self: Arc<Self>,
        reset: Arc<Notify>,
        request: HttpRequest,
    ) -> impl Future<Output = HttpResponse> + Send;
}

impl Host for Buyer {
    async fn handle(self: Arc<Self>, reset: Arc<Notify>, request: HttpRequest) -> HttpResponse {
        handle(self, reset, request).await
    }
}

/// Accepts connections until it is aborted; its connections end with it.
pub(crate) async fn accept<H: Host>(listener: TcpListener, host: Arc<H>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let Some((stream, _peer)) = next_connection(&listener).await else { continue };
        let host = Arc::clone(&host);
        connections.spawn(async move {
            serve(host, stream).await;
            drop(permit);
        });
    }
}

async fn next_connection(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(connection) => Some(connection),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            None
        }
    }
}

async fn serve<H: Host>(host: Arc<H>, stream: TcpStream) {
    // Small answers should leave at once; a socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let reset = Arc::new(Notify::new());
    let asked_to_reset = Arc::clone(&reset);
    let service = service_fn(move |request| {
        let answer = Arc::clone(&host).handle(Arc::clone(&reset), request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How a client leaves is its own affair.
        _left = &mut connection => {}
        () = asked_to_reset.notified() => {
            // With zero linger, closing sends a reset and drops what was not sent.
            drop(connection.into_parts().io.into_inner().set_zero_linger());
        }
    }
}

async fn handle(buyer: Arc<Buyer>, reset: Arc<Notify>, request: HttpRequest) -> HttpResponse {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let Some(kind) = buyer.kind(request.method(), uri.path(), query) else {
        return plain(Reply::not_found());
    };
    let fault = buyer.meet(kind);
    if fault == Fault::Reset {
        return reset_connection(&reset).await;
    }
    let Some(request) = read(request).await else {
        let refusal = Reply::text("too large".to_owned());
        return plain(refusal.with_status(StatusCode::PAYLOAD_TOO_LARGE));
    };
    buyer.keep(kind, &request);
    if !fault.books() {
        return misbehave(&fault, &reset).await;
    }
    let reply = buyer.answer(kind, &request, &Quirk::of(&fault)).await;
    match fault {
        Fault::AcceptThenDrop => reset_connection(&reset).await,
        Fault::Delay(pause) => {
            tokio::time::sleep(pause).await;
            plain(reply)
        }
        Fault::Drip { bytes, every } => {
            dressed(&reply, ReplyBody::drip(reply.body.clone().into(), bytes, every))
        }
        Fault::Truncate => dressed(&reply, ReplyBody::truncated(&reply.body.clone().into())),
        _ => {
            tokio::time::sleep(buyer.thinking_time(&request)).await;
            plain(reply)
        }
    }
}

/// The faults of a buyer that never got as far as deciding.
pub(crate) async fn misbehave(fault: &Fault, reset: &Notify) -> HttpResponse {
    let json = |body: ReplyBody| dressed(&Reply::json(String::new()), body);
    match fault {
        Fault::Reset | Fault::ResetAfterRead => reset_connection(reset).await,
        Fault::Garbage => json(ReplyBody::whole(&b"\x00\xFF\xFE{]<\x80 not a document\x07"[..])),
        Fault::HugeBody => json(ReplyBody::whole(vec![b' '; HUGE_BODY_BYTES])),
        Fault::EndlessChunks => json(ReplyBody::endless()),
        Fault::GzipBomb => {
            let mut response = dressed(&Reply::json(String::new()), ReplyBody::whole(gzip_bomb()));
            let gzip = http::HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            response
        }
        Fault::Status(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(Reply::text("something went wrong".to_owned()).with_status(status))
        }
        Fault::Redirect(url) => redirect(url),
        Fault::HtmlPage => plain(html_page()),
        Fault::EmptyBody => json(ReplyBody::whole(Bytes::new())),
        // `Hang`; the faults that book never come here.
        _ => std::future::pending().await,
    }
}

pub(crate) async fn reset_connection(reset: &Notify) -> HttpResponse {
    reset.notify_one();
    std::future::pending().await
}

/// The request, whole; `None` when it is too large.
pub(crate) async fn read(request: HttpRequest) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, REQUEST_BODY_MAX).collect().await.ok()?.to_bytes();
    Some(Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    })
}

fn plain(reply: Reply) -> HttpResponse {
    let head = Reply { body: String::new(), ..reply };
    dressed(&head, ReplyBody::whole(reply.body))
}

fn dressed(reply: &Reply, body: ReplyBody) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let content_type = http::HeaderValue::from_static(reply.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn redirect(url: &str) -> HttpResponse {
    let mut response =
        plain(Reply::text(String::new()).with_status(StatusCode::TEMPORARY_REDIRECT));
    if let Ok(location) = http::HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn html_page() -> Reply {
    let page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Service \
                temporarily unavailable</h1></body></html>";
    Reply { status: StatusCode::OK, content_type: "text/html", body: page.to_owned() }
}
