//! The web server: takes requests apart, has them answered in the other process, and says it in HTTP if that fails.

use crate::{
    Result,
    site::{Answer, Asked, Site},
};
use bytes::Bytes;
use farcall::{Error, ErrorKind, Executed, Remote};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;

/// Bytes of a request's body, at most.
const BODY: usize = 1 << 20;
/// How long a request may take, the time included in which there is no handler.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves at an address, with the handler of that name, once that has been there: later it may go, and come again.
pub async fn serve(service: &str, address: &str) -> Result<()> {
    let site = farcall::connect::<dyn Site>(service).await?.timeout(PATIENCE);
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let site = site.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| respond(site.clone(), request));
            let mut server = http1::Builder::new();
            let serving = server.timer(TokioTimer::new());
            // A visitor that goes away in the midst of it is no failure of the server's.
            let _ = serving.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(
    site: Remote<dyn Site>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let is_safe = head.method.is_safe();
    let answer = match Limited::new(body, BODY).collect().await {
        Ok(body) => {
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
            let answer = site.answer(Asked { method, path, body }).await;
            answer.unwrap_or_else(|error| sorry(&error, is_safe))
        }
        Err(_) => Answer { status: 413, text: format!("a request has at most {BODY} bytes") },
    };
    let mut response = Response::new(Full::new(Bytes::from(answer.text)));
    let status = StatusCode::from_u16(answer.status);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if answer.status == 503 {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// What the failure of a call means to a visitor: may the same be asked again? What is safe may, and what surely did not run.
fn sorry(error: &Error, is_safe: bool) -> Answer {
    let (status, text) = match (error.kind(), error.executed()) {
        (ErrorKind::Panicked, _) => (500, "the handler has a bug"),
        (kind, ran) if ran == Executed::No || is_safe && kind != ErrorKind::TimedOut => {
            (503, "nobody handles this just now: try again")
        }
        (ErrorKind::TimedOut, _) => (504, "this takes too long, and may have been done"),
        _ => (502, "the handler has gone, and may have done this before"),
    };
    Answer { status, text: text.to_owned() }
}
