//! Looks whether an endpoint that took no connections takes them again, so that it need not wait for its time to be over.
//! Not here: who is ejected and what a trial is (`policy::health`); looking out for those who wait ([`super::hold`]).

use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use policy::EndpointId;

use super::{Upstream, connect};

/// The pause before the first look. The pauses grow by a half each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Looks until the endpoint takes connections, or is back by itself, or the upstream is gone.
pub(super) fn send(upstream: &Rc<Upstream>, endpoint: EndpointId) {
    tokio::task::spawn_local(look(Rc::downgrade(upstream), endpoint));
}

async fn look(upstream: Weak<Upstream>, endpoint: EndpointId) {
    let mut pause = FIRST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        let Some(upstream) = upstream.upgrade().filter(|upstream| upstream.is_unreachable(endpoint)) else { return };
        if connect::accepts(&upstream.endpoints[endpoint.index()]).await {
            return upstream.readmit(endpoint, Instant::now());
        }
        pause = (pause * 3 / 2).min(LAST_PAUSE);
    }
}
