// fetch that tries again where that is safe, and says in plain words what failed; for browsers, workers and Node.
// Not here: caching, queues of requests for later, bodies of answers that break off.

/** What holds unless a call says otherwise. Times are in milliseconds. */
export const defaults = {
  attempts: 4,
  base: 1000,
  cap: 8000,
  attemptTimeout: 30_000,
  totalTimeout: 60_000,
  statuses: [429, 502, 503, 504],
  budget: { percent: 20, floor: 1 },
  breaker: { failures: 5, rest: 10_000 },
};

/** What people are told; assign to it to translate. */
export const messages = {
  offline: 'You are offline. Try again when you are back online.',
  unreachable: 'The site cannot be reached at the moment. Look whether you are online, and try again.',
  down: 'The service behind this site is not running at the moment. Try again in a minute.',
  busy: 'The service behind this site has too much to do at the moment. Try again in a minute.',
  slow: 'The service behind this site took too long to answer. If you were sending something, look whether it arrived before you send it again.',
  brokeOff: 'The service behind this site stopped before it had answered. If you were sending something, look whether it arrived before you send it again.',
  other: 'This did not work. Try again.',
};

/** Why there is no answer that could be used. */
export class GatewayError extends Error {
  constructor(kind, message, { cause, ...more } = {}) {
    super(message, { cause });
    Object.assign(this, { name: 'GatewayError', kind }, more);
  }
}

/** One sentence for the person in front of the screen. */
export function userMessage(error) {
  if (!(error instanceof GatewayError)) return messages.other;
  const { kind, status, sent, idempotent, code, problem } = error;
  if (problem?.detail && /^TG-/.test(code)) return problem.detail;
  if (kind == 'offline') return messages.offline;
  if (kind == 'timeout' || status == 504) return messages.slow;
  if (status == 429 || status == 503) return messages.busy;
  if (sent && !idempotent) return messages.brokeOff;
  return kind == 'network' ? messages.unreachable : messages.down;
}

/** fetch, with patience: resolves with an answer that is not one of `statuses`, else rejects with a GatewayError. */
export async function resilientFetch(input, options = {}) {
  const call = prepare(input, { ...defaults, ...options });
  const { user, settings, origin } = call;
  user?.throwIfAborted();
  const probe = enter(origin, settings.breaker);
  const total = new AbortController();
  const timer = later(() => total.abort(), settings.totalTimeout);
  const signal = AbortSignal.any([total.signal, user ?? total.signal]);
  if (probe) call.left = 1;
  origin.budget.exchange(clock());
  let failed;
  try {
    for (let retry = 0; ; retry++) {
      await online(signal);
      const met = await attempt(call, retry, signal, total.signal);
      failed = met.error;
      if (!failed) return met.response;
      const delay = backoff(settings, retry, failed.retryAfter, Math.random());
      if (!mayRetry(call, failed, delay)) throw await withProblem(failed);
      call.left--;
      settings.onRetry?.({ attempt: retry + 1, delay, error: failed });
      failed.response?.body?.cancel().catch(() => {});
      await wait(signal, (done) => later(done, delay));
    }
  } catch (error) {
    user?.throwIfAborted();
    // The deadline passed in a wait: what was met before it says more.
    failed = error == total.signal.reason ? (failed ?? new GatewayError('offline', 'offline')) : error;
    throw failed;
  } finally {
    clearTimeout(timer);
    leave(origin, probe, user?.aborted ? new Error() : failed);
  }
}

/** Everything of a call that stays the same from attempt to attempt. */
function prepare(input, { idempotencyKey, ...settings }) {
  const request = input instanceof Request ? input : {};
  const url = new URL(request.url ?? input, globalThis.document?.baseURI ?? globalThis.location?.href);
  const headers = new Headers(settings.headers ?? request.headers);
  if (idempotencyKey && !headers.has('Idempotency-Key')) {
    headers.set('Idempotency-Key', idempotencyKey === true ? newKey() : idempotencyKey);
  }
  const { body, method = request.method ?? 'GET' } = settings;
  return {
    input,
    settings,
    headers,
    origin: stateOf(url.origin),
    user: settings.signal ?? request.signal,
    idempotent: headers.has('Idempotency-Key') || isIdempotent(method),
    // A stream is given away with the first attempt.
    replayable: !body?.getReader && !body?.[Symbol.asyncIterator],
    // Whoever sent this here tries again already: both together would multiply.
    before: headers.get('Retry-Attempt') | 0,
    left: settings.attempts,
    // To another origin, a field of ours would make browsers ask for permission first.
    told: settings.attemptHeader ?? (!globalThis.location || url.origin == location.origin),
    end: clock() + settings.totalTimeout,
  };
}

/** One attempt: an answer, or what was met instead of one. */
async function attempt({ input, settings, headers, told, before, idempotent }, retry, signal, total) {
  if (retry && told) headers.set('Retry-Attempt', before + retry);
  const cut = new AbortController();
  // What is wrong with the arguments is said at once, as fetch does, and never tried again.
  const request = new Request(input, { ...settings, headers, signal: AbortSignal.any([signal, cut.signal]) });
  const timer = later(() => cut.abort(), settings.attemptTimeout);
  const attempts = retry + 1;
  try {
    const response = await (settings.fetch ?? fetch)(request);
    if (!settings.statuses.includes(response.status)) return { response };
    const said = proxyStatus(response.headers.get('Proxy-Status'));
    const sent = response.redirected || said.sent;
    const now = Date.parse(response.headers.get('Date')) || Date.now();
    const retryAfter = parseRetryAfter(response.headers.get('Retry-After'), now);
    const more = { ...said, sent, idempotent, status: response.status, response, retryAfter, attempts };
    const text = `${response.status} from ${request.url}: ${said.type ?? 'no reason given'}`;
    return { error: new GatewayError('status', text, more) };
  } catch (cause) {
    const slow = cut.signal.aborted || total.aborted;
    if (signal.aborted && !slow) throw cause;
    const why = cause.cause?.errors?.[0] ?? cause.cause ?? cause;
    // Redirects are followed unseen, so that a refusal may be that of the second hop.
    const sent = request.redirect == 'follow' || !/^(connect|getaddrinfo)$/.test(why.syscall);
    const more = { cause, code: why.code, sent, idempotent, attempts };
    const text = `no answer from ${request.url}: ${slow ? 'timeout' : why.message}`;
    return { error: new GatewayError(slow ? 'timeout' : 'network', text, more) };
  } finally {
    clearTimeout(timer);
  }
}

/** Whether there is an attempt, the time and the budget for a retry after `delay`. */
function mayRetry(call, { status, sent }, delay) {
  const replayable = call.replayable && !call.input.bodyUsed;
  return (
    decide({ ...call, ...call.settings, status, sent, replayable, idempotent: call.idempotent && !call.before }) &&
    clock() + delay < call.end &&
    call.origin.budget.take(call.settings.budget, clock())
  );
}

/** Whether what was met may be tried again; `status` is nothing where there was no answer. */
export function decide({ status, sent, idempotent, replayable, left, statuses }) {
  const met = status === undefined || statuses.includes(status);
  return met && (!sent || idempotent) && replayable && left > 1;
}

/** Methods whose repetition changes nothing: RFC 9110 §9.2.2 and WebDAV's. fetch itself writes the first in capitals. */
export function isIdempotent(method) {
  return (
    /^(get|head|options|put|delete)$/i.test(method) ||
    /^(TRACE|PROP(FIND|PATCH)|MKCOL|COPY|MOVE|UNLOCK|REPORT|SEARCH|QUERY)$/.test(method)
  );
}

/** The wait before retry number `retry` (from 0): a random part of the bound, or what the server asks for if longer. */
export function backoff({ base, cap }, retry, retryAfter = 0, chance) {
  return Math.max(Math.min(base * 2 ** retry, cap) * chance, retryAfter);
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds from `now`; nothing if it is neither seconds nor a date. */
export function parseRetryAfter(value, now) {
  if (/^\d+$/.test(value)) return value * 1000;
  if (!/^[A-Z][a-z]+,? .*\d\d:\d\d:\d\d( GMT| \d{4})$/.test(value)) return;
  const at = Date.parse(/GMT$/.test(value) ? value : value + ' GMT');
  return isNaN(at) ? undefined : Math.max(0, at - now);
}

/** What a `Proxy-Status` (RFC 9209) tells: the error nearest the origin, and whether the origin may have got the request. */
export function proxyStatus(value) {
  const bare = value?.replace(/"(\\.|[^"\\])*"/g, '""') ?? '';
  const type = bare.match(/; *error=([\w-]+)/)?.[1];
  const unsent = /^(dns|destination|tls_certificate|tls_protocol)_|^connection_(refused|limit_reached)$/.test(type);
  // Of a chain of gateways, one may have sent what another refused.
  const code = value?.match(/; *details="(TG-\d+) /)?.[1];
  return { type, code, sent: !unsent || bare.includes(',') };
}

/** Retries as a share of the exchanges of the last ten seconds. */
export class Budget {
  second = 0;
  exchanges = Array(10).fill(0);
  retries = Array(10).fill(0);

  constructor(now) {
    this.start = now;
  }

  exchange(now) {
    this.advance(now);
    this.exchanges[this.second % 10]++;
  }

  /** Takes a retry; false when there is none left. */
  take({ percent, floor }, now) {
    this.advance(now);
    const share = Math.floor((sum(this.exchanges) * percent) / 100);
    const granted = sum(this.retries) < Math.max(share, floor * 10);
    if (granted) this.retries[this.second % 10]++;
    return granted;
  }

  advance(now) {
    const second = Math.max(this.second, Math.floor((now - this.start) / 1000));
    for (let gone = Math.max(this.second + 1, second - 9); gone <= second; gone++) {
      this.exchanges[gone % 10] = this.retries[gone % 10] = 0;
    }
    this.second = second;
  }
}

/** Passes an exchange through the origin's breaker; true for the one that finds out whether the origin is back. */
function enter(origin, { failures, rest }) {
  if (origin.failed < failures) return false;
  if (origin.probed || clock() < origin.since + rest) {
    throw new GatewayError('breaker', 'not asked: the origin keeps failing');
  }
  return (origin.probed = true);
}

/** Counts how an exchange ended. What the caller stopped says nothing of the origin, nor do wrong arguments. */
function leave(origin, probe, error) {
  if (probe) origin.probed = false;
  if (!error) origin.failed = 0;
  else if (error.attempts) {
    origin.failed++;
    origin.since = clock();
  }
}

const origins = new Map();

/** The books of an origin; those of the 256 that were met last are kept. */
function stateOf(name) {
  const state = origins.get(name) ?? { failed: 0, budget: new Budget(clock()) };
  origins.delete(name);
  origins.set(name, state);
  if (origins.size > 256) origins.delete(origins.keys().next().value);
  return state;
}

/** Waits while the browser says that it has no network. */
async function online(signal) {
  while (globalThis.navigator?.onLine === false) {
    await wait(signal, (done) => addEventListener('online', done, { once: true, signal }));
  }
}

/** Waits until `begin`'s callback is called; rejects when the signal is aborted. */
function wait(signal, begin) {
  return new Promise((resolve, reject) => {
    let timer;
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    timer = begin(resolve);
  });
}

/** Adds the problem details (RFC 9457) of an answer, which stays unread. */
async function withProblem(error) {
  const { response } = error;
  const length = response?.headers.get('Content-Length');
  if (length && length < 65536 && /^application\/problem\+json/.test(response.headers.get('Content-Type'))) {
    error.problem = await response.clone().json().catch(() => {});
    error.code = error.problem?.code ?? error.code;
  }
  return error;
}

/** A key as the Idempotency-Key draft writes it: a quoted string. */
function newKey() {
  return `"${crypto.getRandomValues(new Uint32Array(4)).join('-')}"`;
}

// Timers know no longer time than 2^31 - 1 ms, and fire at once beyond.
const later = (run, ms) => setTimeout(run, Math.min(ms, 2 ** 31 - 1));
const clock = () => performance.now();
const sum = (counts) => counts.reduce((total, count) => total + count);
