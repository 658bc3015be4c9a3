//! The rows: which fault comes when, what is asked meanwhile, what the gateway is told to do. Not here: how an endpoint
//! fails (`origins`, `serve`), and what came of it (`measure`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::load::{Plan, Rhythm};
use super::origins::{Behaviour, Closing, Endpoint, Origins};

/// Requests a second.
const RATE: u32 = 300;
/// Before a fault, with all well.
const CALM: Duration = Duration::from_millis(1000);
/// How long a fault lasts.
const FAULT: Duration = Duration::from_millis(3500);
/// How long a row's requests go on.
const TIME: Duration = Duration::from_millis(6000);
/// How long an endpoint that is overloaded takes when it is not.
const LABOUR: Duration = Duration::from_millis(60);
/// How much it does at once.
const AT_ONCE: u32 = 4;
/// How long endpoints of the row about idle connections keep one.
const KEEPS: Duration = Duration::from_secs(2);

/// What befalls the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Death,
    RollingRestarts,
    Hang,
    Behaves(Misbehaviour),
    Blackhole,
    Flapping,
    EverythingDown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misbehaviour {
    Truncate,
    Malform,
    CloseEmpty,
    Slow,
    Overload,
}

/// What the gateway is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    None,
    ReloadEverySecond,
    Upgrade,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What happens, for the page.
    pub(super) help: &'static str,
    fault: Fault,
    pub(super) order: Order,
    pub(super) plan: Plan,
    pub(super) closing: Closing,
    /// More is asked than can be answered: what counts is how much is.
    pub(super) overload: bool,
}

const STEADY: Plan = Plan { rhythm: Rhythm::Steady(RATE), time: TIME, post_every: 4 };
const KEEP_ALL: Closing = Closing { idle: None, requests: None };

const fn row(name: &'static str, help: &'static str, fault: Fault) -> Row {
    Row { name, help, fault, order: Order::None, plan: STEADY, closing: KEEP_ALL, overload: false }
}

pub(super) const ROWS: [Row; 15] = [
    row(
        "death",
        "One endpoint dies (its connections are reset, new ones refused) and is back after 3.5 s.",
        Fault::Death,
    ),
    row(
        "rolling",
        "Each endpoint in turn ends what it has begun, is away for 1 s, and is back.",
        Fault::RollingRestarts,
    ),
    row("hang", "One endpoint accepts and reads, and answers nothing for 3.5 s, checks neither.", Fault::Hang),
    row(
        "truncated",
        "One endpoint breaks every second answer off in its body, of a declared length or (one in three) in chunks.",
        Fault::Behaves(Misbehaviour::Truncate),
    ),
    row(
        "malformed",
        "One endpoint answers every second request with what is not HTTP, or has no sound length.",
        Fault::Behaves(Misbehaviour::Malform),
    ),
    row(
        "empty-close",
        "One endpoint closes the connection instead of every second answer.",
        Fault::Behaves(Misbehaviour::CloseEmpty),
    ),
    Row {
        plan: Plan { rhythm: Rhythm::Bursts(60, KEEPS), time: Duration::from_secs(8), post_every: 2 },
        closing: Closing { idle: Some(KEEPS), requests: None },
        ..row(
            "idle-race",
            "Endpoints close connections that idle for 2 s; a burst of 60 requests, half of them POSTs, comes every 2 s.",
            Fault::None,
        )
    },
    Row {
        closing: Closing { idle: None, requests: Some(50) },
        ..row("request-limit", "Endpoints close connections after 50 requests and do not say so.", Fault::None)
    },
    row("slow", "One endpoint takes 600 ms instead of 5 for 3.5 s.", Fault::Behaves(Misbehaviour::Slow)),
    Row {
        plan: Plan { rhythm: Rhythm::Steady(600), ..STEADY },
        overload: true,
        ..row(
            "overload",
            "Three times of what the endpoints can do is asked, and they do less the more they are asked at once: each does 4 \
             in 60 ms, and 16 in 480 ms.",
            Fault::Behaves(Misbehaviour::Overload),
        )
    },
    row(
        "blackhole",
        "One endpoint's machine is gone without a word: its packets are dropped for 3.5 s.",
        Fault::Blackhole,
    ),
    row("flapping", "One endpoint dies and is back every 300 ms.", Fault::Flapping),
    row("all-down", "All endpoints die at once and are back after 2 s.", Fault::EverythingDown),
    Row { order: Order::ReloadEverySecond, ..row("reload", "The gateway is reloaded every second.", Fault::None) },
    Row { order: Order::Upgrade, ..row("upgrade", "The gateway's binary is replaced while it serves.", Fault::None) },
];

impl Row {
    /// Does to the endpoints what the row is about, and ends with all well.
    pub(super) async fn strike(self, origins: Origins) {
        let third = origins.third();
        if let Fault::Behaves(Misbehaviour::Overload) = self.fault {
            origins.endpoints.iter().for_each(|endpoint| endpoint.behave(Behaviour::Collapse(AT_ONCE, LABOUR)));
            return;
        }
        sleep(CALM).await;
        match self.fault {
            Fault::None => {}
            Fault::Death => away(third, FAULT).await,
            Fault::RollingRestarts => rolling(&origins).await,
            Fault::Hang => hang(third).await,
            Fault::Behaves(misbehaviour) => {
                third.behave(misbehaviour.behaviour());
                sleep(FAULT).await;
                third.behave(Behaviour::Well);
            }
            Fault::Blackhole => blackhole(third).await,
            Fault::Flapping => {
                for _ in 0..6 {
                    away(third, Duration::from_millis(300)).await;
                    sleep(Duration::from_millis(300)).await;
                }
            }
            Fault::EverythingDown => {
                let [one, two, three] = &origins.endpoints;
                let time = Duration::from_secs(2);
                tokio::join!(away(one, time), away(two, time), away(three, time));
            }
        }
    }
}

impl Misbehaviour {
    fn behaviour(self) -> Behaviour {
        match self {
            Self::Truncate => Behaviour::Truncate,
            Self::Malform => Behaviour::Malform,
            Self::CloseEmpty => Behaviour::CloseEmpty,
            Self::Slow => Behaviour::Slow(Duration::from_millis(600)),
            Self::Overload => Behaviour::Collapse(AT_ONCE, LABOUR),
        }
    }
}

async fn away(endpoint: &Arc<Endpoint>, time: Duration) {
    endpoint.die().await;
    sleep(time).await;
    endpoint.come_back().await;
}

async fn rolling(origins: &Origins) {
    for endpoint in &origins.endpoints {
        endpoint.drain().await;
        sleep(Duration::from_millis(1000)).await;
        endpoint.come_back().await;
        sleep(Duration::from_millis(250)).await;
    }
}

/// Ends with a restart, as a watchdog would.
async fn hang(endpoint: &Arc<Endpoint>) {
    endpoint.behave(Behaviour::Hang);
    sleep(FAULT).await;
    endpoint.die().await;
    endpoint.behave(Behaviour::Well);
    endpoint.come_back().await;
}

async fn blackhole(endpoint: &Arc<Endpoint>) {
    match endpoint.vanish().await {
        Ok(blackhole) => {
            sleep(FAULT).await;
            drop(blackhole);
        }
        Err(error) => eprintln!("xtask: an endpoint does not vanish: {error}"),
    }
    endpoint.die().await;
    endpoint.behave(Behaviour::Well);
    endpoint.come_back().await;
}
