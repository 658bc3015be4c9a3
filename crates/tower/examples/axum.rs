//! The Express gateway of the error's reference page, in full: `/api` goes to upstreams, `/health` stays outside.
//!
//! `cargo run -p tidegate-tower --example axum`, then `curl -i http://127.0.0.1:3000/api/`. `UPSTREAM_URL` names the
//! upstreams, with commas between them; without it two small ones are started, one of which is broken. `PORT` is 3000 unless
//! said otherwise, 0 for any.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::routing::get;
use axum::{Json, Router};
use tidegate_tower::{Event, Gateway, Http, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let upstreams = match std::env::var("UPSTREAM_URL") {
        Ok(urls) => urls.split(',').map(|url| url.trim().to_owned()).collect(),
        Err(_) => demo_upstreams().await?,
    };

    let settings = Settings { attempt_timeout: Duration::from_secs(30), ..Settings::gateway() };
    let gateway = Gateway::over(Http::new(), &upstreams, settings)?
        .client_address(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()))
        .on_event(|event: &Event<'_>| {
            if let Event::Failed { origin, failure } = event {
                eprintln!("{origin}: {} {}", failure.row().code, failure.row().happened);
            }
        });

    let app = Router::new().nest_service("/api", gateway).route("/health", get(health));

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse::<u16>())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/api/ goes to {}", listener.local_addr()?, upstreams.join(" and "));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    // Requests under way are finished; no new ones are taken.
    axum::serve(listener, app).with_graceful_shutdown(told_to_end()).await?;
    Ok(())
}

async fn health() -> Json<serde_json::Value> {
    // As `new Date().toISOString()` writes it.
    let now = jiff::Timestamp::now();
    Json(serde_json::json!({ "status": "ok", "timestamp": format!("{now:.3}") }))
}

/// Ctrl+C, or what containers are stopped by.
async fn told_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// One that nothing listens at, and one that works.
async fn demo_upstreams() -> std::io::Result<Vec<String>> {
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let works = listener.local_addr()?;
    let hello = get(async || Json(serde_json::json!({ "hello": "from the upstream that works" })));
    tokio::spawn(axum::serve(listener, Router::new().fallback(hello)).into_future());
    Ok(vec![format!("http://{closed}"), format!("http://{works}")])
}
