//! Keep-alive connections to one address.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use super::{Answer, BodyFormat, Failure, LoadPlan, PlanError};
use crate::leads::Lead;

/// Largest answer read, in bytes.
const ANSWER_MAX: usize = 256 << 10;

type Connection = SendRequest<Full<Bytes>>;

pub(crate) struct Client {
    address: String,
    target: String,
    authorization: HeaderValue,
    format: BodyFormat,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    pub(crate) fn new(plan: &LoadPlan) -> Result<Self, PlanError> {
        let (address, target) = split(&plan.url).ok_or_else(|| PlanError::Url(plan.url.clone()))?;
        let authorization = HeaderValue::from_str(&format!("Bearer {}", plan.key))
            .map_err(|_not_printable| PlanError::Key)?;
        let (format, timeout) = (plan.format, plan.timeout);
        Ok(Self { address, target, authorization, format, timeout, idle: Mutex::default() })
    }

    pub(crate) async fn post(&self, lead: &Lead) -> Result<Answer, Failure> {
        let answered = tokio::time::timeout(self.timeout, self.exchange(lead)).await;
        answered.unwrap_or(Err(Failure::Timeout))
    }

    /// One request on an idle connection, or on a new one where the idle one had been closed.
    async fn exchange(&self, lead: &Lead) -> Result<Answer, Failure> {
        while let Some(mut connection) = self.take_idle() {
            if connection.ready().await.is_err() {
                continue;
            }
            match connection.try_send_request(self.request(lead)).await {
                Ok(response) => return self.read(connection, response).await,
                Err(unsent) if unsent.message().is_some() => {}
                Err(_) => return Err(Failure::Broken),
            }
        }
        let mut connection = self.connect().await.map_err(|_any| Failure::Connect)?;
        let sent = connection.send_request(self.request(lead)).await;
        let response = sent.map_err(|_any| Failure::Broken)?;
        self.read(connection, response).await
    }

    async fn read(
        &self,
        connection: Connection,
        response: http::Response<hyper::body::Incoming>,
    ) -> Result<Answer, Failure> {
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
        let body = body.map_err(|_broken_or_too_long| Failure::Broken)?.to_bytes().to_vec();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(Answer { status, body })
    }

    async fn connect(&self) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // The driver ends with its connection; what went wrong is seen by the request.
        tokio::spawn(async move { drop(driver.await) });
        Ok(connection)
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn request(&self, lead: &Lead) -> Request<Full<Bytes>> {
        let (content_type, body) = match self.format {
            BodyFormat::Json => ("application/json", lead.json().to_string()),
            BodyFormat::Form => ("application/x-www-form-urlencoded", lead.form()),
        };
        Request::post(&self.target)
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, content_type)
            .header("idempotency-key", lead.field("seller_lead_id"))
            .body(Full::new(body.into()))
            .expect("target and headers were checked when the client was made")
    }
}

/// `host:port` and the target of a plain HTTP URL.
fn split(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
    let address = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    Some((address, format!("{}{query}", url.path())))
}
