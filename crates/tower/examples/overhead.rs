//! Asks one URL again and again, with one client or another: what `cargo xtask client-bench` counts the instructions of.
//!
//! `overhead CLIENT URL REQUESTS`; CLIENT is one of `hyper`, `tidegate`, `tidegate-layer`, `reqwest`, `reqwest-tidegate` and
//! `reqwest-retry`. Not here: any clock.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use tidegate_tower::{Client, Http, Retry, RetryMiddleware, Settings};
use tower::{Layer, Service};

type Result<T> = std::result::Result<T, tidegate_tower::BoxError>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [client, url, requests] = &words[..] else { return Err("overhead CLIENT URL REQUESTS".into()) };
    let requests: u64 = requests.parse()?;
    match client.as_str() {
        "hyper" => service(Http::new(), url, requests).await,
        "tidegate-layer" => service(Retry::new(Settings::client()).layer(Http::new()), url, requests).await,
        "tidegate" => tidegate(url, requests).await,
        "reqwest" => reqwest(ClientBuilder::new(reqwest::Client::new()).build(), url, requests).await,
        "reqwest-tidegate" => {
            let retries = RetryMiddleware::new(Settings::client());
            reqwest(ClientBuilder::new(reqwest::Client::new()).with(retries).build(), url, requests).await
        }
        "reqwest-retry" => {
            let policy = ExponentialBackoff::builder().build_with_max_retries(3);
            let retries = RetryTransientMiddleware::new_with_policy(policy);
            reqwest(ClientBuilder::new(reqwest::Client::new()).with(retries).build(), url, requests).await
        }
        other => Err(format!("no client {other}").into()),
    }
}

async fn service<S, R>(mut service: S, url: &str, requests: u64) -> Result<()>
where
    S: Service<Request<Full<Bytes>>, Response = http::Response<R>>,
    S::Error: Into<tidegate_tower::BoxError>,
    R: http_body::Body,
    R::Error: std::fmt::Debug,
{
    for _ in 0..requests {
        let request = Request::get(url).body(Full::default())?;
        let response = service.call(request).await.map_err(Into::into)?;
        let whole = response.into_body().collect().await.map_err(|error| format!("{error:?}"))?;
        drop(whole.to_bytes());
    }
    Ok(())
}

async fn tidegate(url: &str, requests: u64) -> Result<()> {
    let client = Client::new();
    for _ in 0..requests {
        drop(client.get(url).await?.bytes().await?);
    }
    Ok(())
}

async fn reqwest(client: ClientWithMiddleware, url: &str, requests: u64) -> Result<()> {
    for _ in 0..requests {
        drop(client.get(url).send().await?.bytes().await?);
    }
    Ok(())
}
