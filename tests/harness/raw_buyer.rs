//! A buyer below HTTP: it reads whole requests and answers with whatever bytes a test makes up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request, read whole.
#[derive(Clone, Debug)]
pub(crate) struct RawRequest {
    pub(crate) path: String,
    pub(crate) body: String,
    head: String,
}

impl RawRequest {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header's text; empty where it is absent.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }
}

/// What to do after reading a request.
pub(crate) enum Act {
    /// Answer with these bytes and keep the connection.
    Say(Vec<u8>),
    /// Answer with these bytes and close.
    SayAndClose(Vec<u8>),
    /// Answer with these bytes again and again until the other side has gone.
    SayForever(Vec<u8>),
}

type Script = dyn Fn(&RawRequest) -> Act + Send + Sync;

/// A running raw buyer. Dropping it stops it.
pub(crate) struct RawBuyer {
    pub(crate) addr: SocketAddr,
    heard: Arc<Mutex<Vec<RawRequest>>>,
    connections: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl RawBuyer {
    pub(crate) async fn start(script: impl Fn(&RawRequest) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let script: Arc<Script> = Arc::new(script);
        let heard = Arc::new(Mutex::default());
        let connections = Arc::new(AtomicU64::new(0));
        let (keep, count) = (Arc::clone(&heard), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&keep)));
            }
        });
        Self { addr, heard, connections, accepting }
    }

    /// Connections that reached this buyer.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// The requests to this path, in order of arrival.
    pub(crate) fn requests(&self, path: &str) -> Vec<RawRequest> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|request| request.path == path).cloned().collect()
    }
}

impl Drop for RawBuyer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, keep: Arc<Mutex<Vec<RawRequest>>>) {
    let mut rest = Vec::new();
    while let Some(request) = read(&mut stream, &mut rest).await {
        keep.lock().unwrap().push(request.clone());
        let going_on = match script(&request) {
            Act::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
            Act::SayAndClose(bytes) => {
                // A client that has gone needs no answer.
                drop(stream.write_all(&bytes).await);
                false
            }
            Act::SayForever(bytes) => {
                while stream.write_all(&bytes).await.is_ok() {}
                false
            }
        };
        if !going_on {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, rest: &mut Vec<u8>) -> Option<RawRequest> {
    loop {
        if let Some((request, used)) = whole(rest) {
            rest.drain(..used);
            return Some(request);
        }
        let mut piece = [0; 8192];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        rest.extend_from_slice(&piece[..read]);
    }
}

/// A request and its length, once all of it is there.
fn whole(bytes: &[u8]) -> Option<(RawRequest, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let used = end + length.unwrap_or(0_usize);
    let body = String::from_utf8_lossy(bytes.get(end..used)?).into_owned();
    let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
    Some((RawRequest { path, body, head }, used))
}

/// A complete 200 with this JSON.
pub(crate) fn ok_json(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
