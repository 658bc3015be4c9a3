//! The same twelve seconds of faults through no layer, the client's, the gateway's, and both: what fails, and how often the
//! origins are asked. Not here: the faults themselves (`tidegate misbehave`).

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tidegate::misbehave::{Act, Listen, Server};
use tidegate_tower::{Client, Settings};
use tokio::time::{interval, sleep_until};

/// When which of the two origins does what, in milliseconds from the beginning.
const FAULTS: [(u64, usize, &str); 9] = [
    (2000, 0, "refuse"),
    (4000, 0, "reset-before-reply"),
    (6000, 0, "status-503"),
    (8000, 0, "refuse"),
    (8000, 1, "refuse"),
    (9500, 0, "well"),
    (9500, 1, "close-before-reply"),
    (11_000, 1, "well"),
    (12_000, 0, "well"),
];
/// Between two requests.
const PACE: Duration = Duration::from_millis(20);
const REQUESTS: u64 = 600;
/// Every so-many-th request is a POST.
const POSTS: u64 = 5;

const LAYERS: [(&str, bool, bool); 4] =
    [("none", false, false), ("client", true, false), ("gateway", false, true), ("both", true, true)];

pub(super) fn print(program: &Path) -> Result<(), String> {
    println!(
        "{REQUESTS} requests in 12 s, each fifth a POST, to two origins: one is down, resets and says 503 in turn for 2 s"
    );
    println!("each; then both are down for 1.5 s; then the other closes connections for 1.5 s.\n");
    println!("| layers | failed GETs | failed POSTs | requests at the origins |");
    println!("|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    for (name, client, gateway) in LAYERS {
        let tally = runtime.block_on(run(client, gateway.then_some(program)))?;
        let Tally { gets, posts, asked } = tally;
        println!("| {name} | {gets} | {posts} | {asked} |");
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    gets: u64,
    posts: u64,
    asked: u64,
}

async fn run(retries: bool, gateway: Option<&Path>) -> Result<Tally, String> {
    let well = || Server::start(&Listen::ANYWHERE, act("well")?, "hello\n", None).map_err(|error| error.to_string());
    let origins = [well()?, well()?];
    let addresses: Vec<SocketAddr> = origins.iter().filter_map(|origin| origin.address().tcp()).collect();
    let gateway = gateway.map(|program| Gateway::start(program, &addresses)).transpose()?;
    let asked: Vec<SocketAddr> = gateway.as_ref().map_or(addresses, |gateway| vec![gateway.address]);
    let builder = asked.iter().fold(Client::builder(), |builder, address| builder.base(format!("http://{address}")));
    let client = builder.settings(settings(retries)).build().map_err(|error| error.to_string())?;
    let (failures, faults) = tokio::join!(traffic(client), faults(&origins));
    faults?;
    let asked = origins.iter().map(|origin| origin.tally().requests).sum();
    Ok(Tally { asked, ..failures })
}

fn settings(retries: bool) -> Settings {
    let mut settings = Settings::client();
    if !retries {
        (settings.retry.tries, settings.breaker, settings.hold_back) = (1, None, None);
    }
    settings
}

async fn faults(origins: &[Server; 2]) -> Result<(), String> {
    let began = tokio::time::Instant::now();
    for (at, origin, mode) in FAULTS {
        sleep_until(began + Duration::from_millis(at)).await;
        origins[origin].set(act(mode)?);
    }
    Ok(())
}

fn act(mode: &str) -> Result<Act, String> {
    Act::named(mode)
}

/// Requests at an even pace, whatever becomes of those before.
async fn traffic(client: Client) -> Tally {
    let mut pace = interval(PACE);
    let mut asking = Vec::new();
    for number in 0..REQUESTS {
        pace.tick().await;
        let (client, post) = (client.clone(), number % POSTS == 0);
        asking.push(tokio::spawn(async move { (post, asks(&client, post).await) }));
    }
    let mut tally = Tally::default();
    for asked in asking {
        match asked.await {
            Ok((_, true)) => {}
            Ok((true, false)) => tally.posts += 1,
            _ => tally.gets += 1,
        }
    }
    tally
}

/// Whether a whole answer came that is no gateway's failure.
async fn asks(client: &Client, post: bool) -> bool {
    let response = if post { client.post("/orders", "one").await } else { client.get("/x").await };
    let Ok(response) = response else { return false };
    response.status().is_success() && response.bytes().await.is_ok()
}

/// The gateway in front of the origins, until it is dropped.
struct Gateway {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Gateway {
    fn start(program: &Path, origins: &[SocketAddr]) -> Result<Self, String> {
        let told = |error: std::io::Error| error.to_string();
        let folder = tempfile::tempdir().map_err(told)?;
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(told)?;
        let servers: String = origins.iter().map(|origin| format!("server {origin};")).collect();
        let text = format!(
            "daemon off; worker_processes 1; pid {path}/pid; error_log {path}/error.log; events {{}}\n\
             http {{ access_log off; resilience on; upstream app {{ {servers} }}\n\
             server {{ listen {address}; location / {{ proxy_pass http://app; }} }} }}\n",
            path = folder.path().display()
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text).map_err(told)?;
        let mut command = Command::new(program);
        command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let gateway = Self { child: command.spawn().map_err(told)?, address, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("the gateway does not start".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(gateway)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
