//! The fetch example of the error's reference page: a service that is restarting answers 502 twice, and nobody notices.
//!
//! `cargo run -p tidegate-tower --example client`; with a URL as argument it asks that one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tidegate_tower::{Client, Error, Event};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = match std::env::args().nth(1) {
        Some(url) => url,
        None => format!("{}/api/data", restarting().await?),
    };
    let client = Client::builder().on_event(warn).build()?;
    match load_data(&client, &url).await {
        Ok(data) => println!("{data}"),
        // For the user, then for the log.
        Err(error) => println!("Service temporarily unavailable: {}\n{error}", error.user_message()),
    }
    Ok(())
}

async fn load_data(client: &Client, url: &str) -> Result<String, Error> {
    client.get(url).await?.text().await
}

fn warn(event: &Event<'_>) {
    match event {
        Event::Answered { origin, status } => eprintln!("{origin} answered {status}"),
        Event::Failed { origin, failure } => eprintln!("{origin}: {}", failure.row().happened),
        Event::Retry { number, after } => eprintln!("attempt {number} in {after:?}"),
        _ => {}
    }
}

/// A service that is back at the third request.
async fn restarting() -> std::io::Result<String> {
    let asked = Arc::new(AtomicU32::new(0));
    let answer = get(async move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => (StatusCode::BAD_GATEWAY, "not yet"),
        _ => (StatusCode::OK, r#"{"data": "is here"}"#),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    Ok(url)
}
