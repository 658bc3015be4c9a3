// Asks the gateway whether the page's path is back, with the patience of tidegate-fetch, and loads the page again when it is.
// A page that answered a form is never loaded again: that would send the form a second time.
import { resilientFetch } from './fetch.js';

const main = document.querySelector('main[data-ready]');
const next = document.getElementById('next');
const repeatable = main.dataset.repeatable === 'true';
const key = 'tidegate:' + location.pathname;

/** Waiting costs the gateway next to nothing: it goes on until the page is left, less and less often. */
const patience = {
  attempts: Infinity,
  totalTimeout: Infinity,
  base: 1000,
  cap: 30_000,
  budget: { percent: 0, floor: 1000 },
  breaker: { percent: 101, volume: 1, open: 0, longest: 0 },
  cache: 'no-store',
  credentials: 'omit',
  fetch: (request) => seen(request.signal).then(() => fetch(request)),
};

let round = rounds();
let asking;

/** How often this page came back to be the same: a route that only seems to be back is asked for less and less. */
function rounds() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key));
    return kept && Date.now() - kept.at < 60_000 ? kept.round : 0;
  } catch {
    return 0;
  }
}

function reload() {
  try {
    sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), round }));
  } catch {
    // A private window keeps nothing.
  }
  location.reload();
}

/** Nobody is asked while nobody looks. */
function seen(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve, reject) => {
    document.addEventListener('visibilitychange', resolve, { once: true, signal });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function pause(signal) {
  const most = Math.min(30_000, 1000 * 1.6 ** round++);
  return new Promise((resolve, reject) => {
    setTimeout(resolve, most / 2 + (Math.random() * most) / 2);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Asks until the path is back. */
async function heal() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  try {
    do {
      await pause(signal);
    } while ((await resilientFetch(main.dataset.ready, { ...patience, signal })).status !== 204);
  } catch {
    // A browser that knows too little for it loads the page now and then, as without scripts.
    if (!signal.aborted && repeatable) setTimeout(reload, 15_000);
    return;
  }
  if (repeatable) reload();
  else next.textContent = 'The site answers again. Please go back and send your form once more.';
}

/** What was waited for may be over: ask soon. */
function soon() {
  if (document.hidden) return;
  round = Math.min(round, 1);
  heal();
}

document.addEventListener('visibilitychange', soon);
addEventListener('online', soon);
heal();
