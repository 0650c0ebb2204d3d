//! The bare fan-out: a server that asks ten buyers, takes the highest bid, posts and answers.
//!
//! No config, no tree, no ledger, no metrics, no store: what every exchange must at least do. The
//! two floors differ only in how they reach buyers.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::Ran;
use crate::child::parent_gone;
use crate::{naive, same};

/// How long an answer of a buyer is waited for.
pub(crate) const BUYER_TIMEOUT: Duration = Duration::from_millis(700);
/// Largest lead taken.
const LEAD_MAX: usize = 256 * 1024;

/// Which floor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Our own transport.
    Same,
    /// The usual client, used in the usual way.
    Naive,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Naive => "naive",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::Same, Self::Naive].into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| format!("there is no floor `{name}`"))
    }
}

/// How buyers are reached.
#[derive(Debug)]
enum FanOut {
    Same(same::FanOut),
    Naive(naive::FanOut),
}

/// Who won, and at which price in cents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Sale {
    pub(crate) buyer: usize,
    pub(crate) cents: u64,
}

impl FanOut {
    async fn auction(&self) -> Option<Sale> {
        match self {
            Self::Same(same) => same.auction().await,
            Self::Naive(naive) => naive.auction().await,
        }
    }
}

/// Serves until the process that started it has gone.
pub(crate) fn run(kind: Kind, buyers: &[SocketAddr]) -> Ran<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let fan_out = match kind {
            Kind::Same => FanOut::Same(same::FanOut::new(buyers)?),
            Kind::Naive => FanOut::Naive(naive::FanOut::new(buyers)?),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        writeln!(std::io::stdout().lock(), "ready {}", listener.local_addr()?)?;
        tokio::spawn(accept(listener, Arc::new(fan_out)));
        parent_gone().await;
        Ok(())
    })
}

async fn accept(listener: TcpListener, fan_out: Arc<FanOut>) {
    while let Ok((stream, _peer)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&fan_out)));
    }
}

async fn serve(stream: TcpStream, fan_out: Arc<FanOut>) {
    // A socket without the option still works.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| answer(request, Arc::clone(&fan_out)));
    // How a seller leaves is its own affair.
    drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

async fn answer(
    request: Request<Incoming>,
    fan_out: Arc<FanOut>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let read = Limited::new(request.into_body(), LEAD_MAX).collect().await;
    let sale = match read {
        Ok(_lead) => fan_out.auction().await,
        Err(_broken_or_too_long) => None,
    };
    Ok(written(sale))
}

fn written(sale: Option<Sale>) -> Response<Full<Bytes>> {
    let (status, body) = match sale {
        Some(Sale { buyer, cents }) => {
            let body = format!(r#"{{"status":"sold","buyer":{buyer},"cents":{cents}}}"#);
            (StatusCode::OK, body)
        }
        None => (StatusCode::BAD_GATEWAY, r#"{"status":"unsold"}"#.to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
