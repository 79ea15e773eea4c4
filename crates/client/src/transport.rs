//! One signed request, retried while the node says "not yet".

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_protocol::api::{ErrorBody, code};
use bailiwick_protocol::http_signature::{
    CONTENT_DIGEST_HEADER, Content, ENVELOPE_DIGEST_HEADER, HOST_HEADER, RequestParts, SignatureParameters,
    format_digest, sign,
};

use crate::client::Client;
use crate::error::ClientError;
use crate::retry::until_final;

/// Seconds a signature is valid: long enough for a queue, short enough for a small memory of nonces.
const SIGNATURE_SECONDS: u64 = 30;
/// Bytes of a JSON answer, at most.
const JSON_BYTES_MAX: u64 = 4 << 20;
/// Characters of an error text kept.
const TEXT_CHARS_MAX: usize = 500;

type OpenBody<'a> = dyn Fn() -> std::io::Result<Box<dyn Read + 'a>> + 'a;

/// A request before it is signed.
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) content: Content,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Opened anew for each try, and the length in bytes.
    pub(crate) body: Option<(&'a OpenBody<'a>, u64)>,
    /// Whether request or answer may take as long as its length needs; all others end within `answer_timeout`, so that
    /// a node that sends a byte a minute cannot hold an auditor.
    pub(crate) streams: bool,
}

impl Request<'_> {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: None,
            content: Content::None,
            headers: Vec::new(),
            body: None,
            streams: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }
}

/// A successful answer, body not read yet.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: ureq::Body,
}

impl Answer {
    /// The whole body, refused beyond `max` bytes.
    pub(crate) fn bytes(self, max: u64) -> Result<Vec<u8>, ClientError> {
        let mut out = Vec::new();
        self.body.into_reader().take(max + 1).read_to_end(&mut out).map_err(ClientError::io)?;
        if out.len() as u64 > max { Err(ClientError::Protocol("answer is too long")) } else { Ok(out) }
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.bytes(JSON_BYTES_MAX)?)
            .map_err(|_| ClientError::Protocol("unexpected JSON"))
    }
}

impl Client {
    /// Sends, and signs and sends again while the node has just restarted or is full.
    pub(crate) fn call(&self, request: &Request<'_>) -> Result<Answer, ClientError> {
        until_final(self.retry_for, || self.call_once(request), again_after)
    }

    fn call_once(&self, request: &Request<'_>) -> Result<Answer, ClientError> {
        let mut http = http::Request::builder().method(request.method).uri(self.uri(request));
        for (name, value) in self.signed_headers(request)? {
            http = http.header(name, value);
        }
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        let within = (!request.streams).then_some(self.answer_timeout);
        let answer = match request.body {
            None => {
                let http = http.body(()).map_err(|_| ClientError::Protocol("request does not form"))?;
                self.agent.run(self.agent.configure_request(http).timeout_global(within).build())
            }
            Some((open, length)) => {
                let mut reader = open().map_err(ClientError::Body)?;
                let mut http = http.header("content-length", length);
                if length > 0 {
                    // The node answers a refusal before the body travels.
                    http = http.header("expect", "100-continue");
                }
                let http = http
                    .body(ureq::SendBody::from_reader(&mut reader))
                    .map_err(|_| ClientError::Protocol("request does not form"))?;
                self.agent.run(self.agent.configure_request(http).timeout_global(within).build())
            }
        };
        let (parts, body) = answer.map_err(ClientError::transport)?.into_parts();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        if parts.status.is_success() { Ok(answer) } else { Err(refusal(answer)) }
    }

    fn uri(&self, request: &Request<'_>) -> String {
        match &request.query {
            Some(query) => format!("{}{}?{query}", self.base, request.path),
            None => format!("{}{}", self.base, request.path),
        }
    }

    fn signed_headers(&self, request: &Request<'_>) -> Result<Vec<(&'static str, String)>, ClientError> {
        let created = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| ClientError::System("time after 1970"))?
            .as_secs();
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| ClientError::System("randomness"))?;
        let parts = RequestParts {
            method: request.method,
            authority: &self.authority,
            path: &request.path,
            query: request.query.as_deref(),
            host: &self.host,
            content: request.content,
        };
        let parameters = SignatureParameters { created, expires: created + SIGNATURE_SECONDS, nonce };
        let signed = sign(&parts, &parameters, &self.signer);
        let mut headers = vec![
            ("host", self.authority.clone()),
            (HOST_HEADER, self.host.to_string()),
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
        ];
        match request.content {
            Content::None => {}
            Content::Digest(digest) => headers.push((CONTENT_DIGEST_HEADER, format_digest(&digest))),
            Content::Object { envelope, .. } => {
                headers.push((ENVELOPE_DIGEST_HEADER, format_digest(&envelope)))
            }
        }
        Ok(headers)
    }
}

/// Seconds after which the node takes what it refuses now, if it says so.
fn again_after(error: &ClientError) -> Option<u64> {
    match error {
        ClientError::Refused { code, retry_after, .. }
            if matches!(code.as_str(), code::RESTART_FLOOR | code::BUSY | code::KEY_SHARE) =>
        {
            *retry_after
        }
        _ => None,
    }
}

fn refusal(answer: Answer) -> ClientError {
    let status = answer.status;
    let retry_after = answer
        .headers
        .get(http::header::RETRY_AFTER)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok());
    let body = answer.json::<ErrorBody>().unwrap_or_else(|_| ErrorBody {
        code: String::new(),
        message: "no explanation came.".to_owned(),
        help: String::new(),
    });
    ClientError::Refused {
        status,
        code: printable(&body.code),
        message: printable(&body.message),
        help: printable(&body.help),
        retry_after,
    }
}

/// A hostile node's text must not drive a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}
