//! Named moments by which the scripts of a client and of origins wait for each other, instead of sleeping.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The moments of one run. A moment that has come stays.
#[derive(Default)]
pub(crate) struct Moments {
    come: Mutex<HashSet<String>>,
    news: Condvar,
}

/// The moment at which every script ends.
const END: &str = "the end of the case";

impl Moments {
    pub(crate) fn notify(&self, moment: &str) {
        self.come.lock().unwrap_or_else(PoisonError::into_inner).insert(moment.to_owned());
        self.news.notify_all();
    }

    /// Waits for a moment; an error if it does not come within `patience`.
    pub(crate) fn wait(&self, moment: &str, patience: Duration) -> Result<(), String> {
        let come = self.come.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |come: &mut HashSet<String>| !come.contains(moment) && !come.contains(END);
        let (come, _) = self.news.wait_timeout_while(come, patience, missing).unwrap_or_else(PoisonError::into_inner);
        if come.contains(moment) { Ok(()) } else { Err(format!("the moment `{moment}` never came")) }
    }

    pub(crate) fn end(&self) {
        self.notify(END);
    }

    pub(crate) fn ended(&self) -> bool {
        self.come.lock().unwrap_or_else(PoisonError::into_inner).contains(END)
    }
}
