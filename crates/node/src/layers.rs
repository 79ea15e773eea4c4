//! Around every request: refusal of odd paths, a request id, one log line, metrics, and panics turned into 500.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;

use crate::error::ApiError;
use crate::metrics::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("bailiwick-request-id");

/// Numbers requests of this process; the log line and the answer carry it.
pub(crate) struct Observer {
    metrics: Arc<Metrics>,
    next: AtomicU64,
}

impl Observer {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { metrics, next: AtomicU64::new(1) })
    }
}

/// The layer. What it logs is the route's pattern: never a name, a query, a header or a body.
pub(crate) async fn observe(State(observer): State<Arc<Observer>>, request: Request, next: Next) -> Response {
    let id = observer.next.fetch_add(1, Ordering::Relaxed);
    let started = Instant::now();
    observer.metrics.load.count();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let mut response = match refuse_odd(&request) {
        Err(refusal) => refusal.into_response(),
        // The state behind the handlers is locks that recover and atomics, so it is whole after a panic.
        Ok(()) => match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!(request = id, route, "handler panicked");
                ApiError::internal().into_response()
            }
        },
    };
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let method = if matches!(method.as_str(), "GET" | "HEAD" | "PUT" | "POST" | "DELETE") {
        method.as_str()
    } else {
        "other"
    };
    observer.metrics.request(method, &route, status, elapsed);
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(request = id, method, route, status, ms, "request");
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from(id));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A11: every path of the API is plain; percent-encoding, dots as segments, doubled slashes and the like have no use here.
fn refuse_odd(request: &Request) -> Result<(), ApiError> {
    let uri = request.uri();
    let path = uri.path();
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._".contains(&b));
    if !plain || path.contains("//") || path.contains("/.") || uri.authority().is_some() {
        return Err(ApiError::bad_request("path"));
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if request.version() != Version::HTTP_11 || hosts != 1 {
        return Err(ApiError::bad_request("HTTP/1.1 with one Host is needed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(app: &Router, uri: &str) -> (u16, String) {
        let request = Request::builder().uri(uri).header("host", "x").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn app(metrics: &Arc<Metrics>) -> Router {
        static LOCK: std::sync::Mutex<u32> = std::sync::Mutex::new(0);
        async fn boom() -> &'static str {
            let _held = LOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            panic!("secret detail");
        }
        async fn fine() -> &'static str {
            *LOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
            "fine"
        }
        Router::new()
            .route("/boom", get(boom))
            .route("/fine", get(fine))
            .layer(middleware::from_fn_with_state(Observer::new(Arc::clone(metrics)), observe))
    }

    /// A18: a panic in a handler is a 500 without detail, and the next request is served, also through the same lock.
    #[tokio::test]
    async fn a18_panic_in_a_handler() {
        let metrics = Arc::new(Metrics::new());
        let app = app(&metrics);
        let (status, body) = ask(&app, "/boom").await;
        assert_eq!(status, 500);
        assert!(
            body.contains("internal") && !body.contains("secret") && !body.contains("layers.rs"),
            "{body}"
        );
        assert_eq!(ask(&app, "/fine").await, (200, "fine".to_owned()));
    }

    /// A11: encoded, doubled and dotted paths are refused before routing; the plain one is served.
    #[tokio::test]
    async fn a11_odd_paths() {
        let app = app(&Arc::new(Metrics::new()));
        for odd in
            ["/%66ine", "/%2e%2e/fine", "//fine", "/./fine", "/fine%00", "/x/../fine", "/fine%252f", "/fi~ne"]
        {
            assert_eq!(ask(&app, odd).await.0, 400, "{odd}");
        }
        assert_eq!(ask(&app, "/fine").await.0, 200);
        assert_eq!(ask(&app, "/missing").await.0, 404);
    }
}
