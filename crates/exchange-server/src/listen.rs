//! Listeners: connections of sellers and operators, with limits and time-outs on every read.
//!
//! HTTP/1.1 by hyper, routes by axum. A half-sent head is cut after [`HEAD_TIME_MAX`]; the accept
//! loop survives running out of file descriptors. When a seller closes its connection, its handler
//! is dropped: nothing that must finish may run in it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::seller_api::door::FirstByte;

/// Longest that the head of a request may take to arrive.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(5);
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 32 * 1024;
/// Pause of the accept loop when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every answer is named by.
const REQUEST_ID: HeaderName = HeaderName::from_static("rialto-request-id");

/// One listener's way of serving.
#[derive(Clone, Debug)]
pub struct Door {
    /// Its routes.
    pub routes: Router,
    /// The only reader of time.
    pub clock: Clock,
    /// Most connections at a time; more wait in the system's queue.
    pub connections_max: usize,
}

/// Serves until `stopping`, then lets requests under way finish.
pub async fn serve(listener: TcpListener, door: Door, stopping: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(door.connections_max));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stopping.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, _peer)) => {
                let connection = graceful.watch(connection(stream, door.clone()));
                tokio::spawn(async move {
                    // A connection that breaks concerns its seller alone.
                    drop(connection.await);
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    door: Door,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    // Small answers must not wait for each other's acknowledgement; without it they are only slower.
    drop(stream.set_nodelay(true));
    let first_byte = FirstByte::default();
    let io = Stamped { stream, first_byte: first_byte.clone(), clock: door.clock, ended: false };
    let routes = TowerToHyperService::new(door.routes);
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, first_byte) = (routes.clone(), first_byte.clone());
        async move { answer(&routes, request, first_byte).await }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(io), service)
}

async fn answer(
    routes: &TowerToHyperService<Router>,
    request: Request<Incoming>,
    first_byte: FirstByte,
) -> Result<Response<Body>, std::convert::Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(first_byte.clone());
    let mut response = routes.call(request).await?;
    first_byte.reset();
    let id = format!("req_{}", hex::encode(crate::random::bytes::<12>()));
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

/// A connection that notes when the first byte of a request arrives: budgets count from there.
///
/// Its end is told one look later than it is seen. A request that came whole and together with the
/// end, as from a buyer that does not wait for thanks, is so given to its handler before hyper
/// drops it with the connection.
#[derive(Debug)]
struct Stamped {
    stream: TcpStream,
    first_byte: FirstByte,
    clock: Clock,
    /// Whether the end was seen.
    ended: bool,
}

impl AsyncRead for Stamped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.first_byte.seen(|| self.clock.now());
        } else if matches!(polled, Poll::Ready(Ok(()))) && !self.ended {
            self.ended = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        polled
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
