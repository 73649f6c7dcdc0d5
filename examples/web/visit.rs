//! The visitor: asks over HTTP, and knows the answers.

use crate::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Asks for something, as in `GET /`, shows the answer, and fails if it is another one.
pub async fn expect(address: &str, what: &str, body: &str, status: u16, text: &str) -> Result<()> {
    let answer = ask(address, what, body).await?;
    println!("{what:<20} {} {}", answer.0, answer.1);
    if answer == (status, text.to_owned()) {
        return Ok(());
    }
    Err(format!("{what}: {answer:?} instead of {status} {text}").into())
}

/// Asks for something: the status, and what comes with it.
pub async fn ask(address: &str, what: &str, body: &str) -> Result<(u16, String)> {
    let (method, path) = what.split_once(' ').unwrap_or(("GET", what));
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header(header::HOST, address);
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let text = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}
