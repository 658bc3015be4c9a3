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
  breaker: { percent: 50, volume: 10, open: 1000, longest: 30_000 },
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
  constructor(kind, message, more) {
    super(message, more);
    Object.assign(this, { name: 'GatewayError', kind }, more);
  }
}

/** One sentence for the person in front of the screen. */
export function userMessage(error) {
  if (!(error instanceof GatewayError)) return messages.other;
  const { kind, status, sent, idempotent, problem } = error;
  if (/^TG-/.test(problem?.code) && problem.detail) return problem.detail;
  if (kind == 'offline') return messages.offline;
  if (kind == 'timeout' || status == 504) return messages.slow;
  if (status == 429 || status == 503) return messages.busy;
  if (sent && !idempotent) return messages.brokeOff;
  return kind == 'network' ? messages.unreachable : messages.down;
}

/** fetch, with patience: resolves with an answer that is not one of `statuses`, else rejects with a GatewayError. */
export async function resilientFetch(input, options = {}) {
  const { idempotencyKey, ...settings } = { ...defaults, ...options };
  const given = input instanceof Request ? input : {};
  const { signal: user = given.signal, method = given.method ?? 'GET', body } = settings;
  const url = new URL(given.url ?? input, globalThis.document?.baseURI ?? globalThis.location?.href);
  const headers = new Headers(settings.headers ?? given.headers);
  if (idempotencyKey && !headers.has(KEY)) headers.set(KEY, idempotencyKey === true ? newKey() : idempotencyKey);
  const idempotent = headers.has(KEY) || isIdempotent(method);
  // Whoever sent this here tries again already: both together would multiply.
  const before = headers.get(RETRY) | 0;
  // To another origin, a field of ours would make browsers ask for permission first.
  const told = settings.attemptHeader ?? (!globalThis.location || url.origin == location.origin);

  const [budget, breaker] = booksOf(url.origin);
  const end = clock() + settings.totalTimeout;
  const total = new AbortController();
  const timer = later(() => total.abort(), settings.totalTimeout);
  const signal = AbortSignal.any([total.signal, user ?? total.signal]);
  let attempts = 0;
  let permit, failed;
  budget.add(clock(), 1, 0);
  try {
    for (;;) {
      await online(signal);
      permit = breaker.admit(clock());
      if (!permit) throw (await withProblem(failed)) ?? new GatewayError('breaker', 'breaker');
      failed?.response?.body?.cancel().catch(() => {});
      failed = undefined;
      const response = await attempt();
      breaker.report(settings.breaker, permit, !!failed, clock());
      if (!failed) return response;
      const delay = backoff(settings, attempts - 1, failed.retryAfter, Math.random());
      if (!mayRetry(delay)) throw await withProblem(failed);
      settings.onRetry?.({ attempt: attempts, delay, error: failed });
      await wait(signal, (done) => later(done, delay));
    }
  } catch (error) {
    user?.throwIfAborted();
    // The deadline passed in a wait: what was met before it says more.
    throw error == total.signal.reason ? (failed ?? new GatewayError('offline', 'offline')) : error;
  } finally {
    clearTimeout(timer);
    // What the caller stopped says nothing of the origin; what was reported before stays so.
    breaker.report(settings.breaker, permit, undefined, clock());
  }

  /** One attempt: an answer, or `failed`. */
  async function attempt() {
    if (attempts && told) headers.set(RETRY, before + attempts);
    const cut = new AbortController();
    // What is wrong with the arguments is said at once, as fetch does, and never tried again.
    const request = new Request(input, { ...settings, headers, signal: AbortSignal.any([signal, cut.signal]) });
    const timer = later(() => cut.abort(), settings.attemptTimeout);
    const fail = (kind, text, more) => {
      failed = new GatewayError(kind, text, { ...more, idempotent, attempts });
    };
    attempts++;
    try {
      const response = await (settings.fetch ?? fetch)(request);
      const { status, redirected } = response;
      if (!settings.statuses.includes(status)) return response;
      const field = (name) => response.headers.get(name);
      const said = proxyStatus(field('Proxy-Status'));
      const retryAfter = parseRetryAfter(field('Retry-After'), Date.parse(field('Date')) || Date.now());
      fail('status', `${status} ${said.type ?? ''} from ${url}`, { ...said, sent: redirected || said.sent, status, response, retryAfter });
    } catch (cause) {
      const slow = cut.signal.aborted || total.signal.aborted;
      if (signal.aborted && !slow) throw cause;
      const { code, message, syscall } = cause.cause?.errors?.[0] ?? cause.cause ?? cause;
      // Redirects are followed unseen, so that a refusal may be that of the second hop.
      const sent = request.redirect == 'follow' || !/^(connect|getaddrinfo)$/.test(syscall);
      const kind = slow ? 'timeout' : 'network';
      fail(kind, `no answer from ${url}: ${slow ? kind : message}`, { cause, code, sent });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether there is an attempt, the time and the budget for a retry after `delay`. */
  function mayRetry(delay) {
    // A stream is given away with the first attempt.
    const replayable = !body?.getReader && !body?.[Symbol.asyncIterator] && !input.bodyUsed;
    const left = settings.attempts + 1 - attempts;
    return (
      decide({ ...settings, ...failed, idempotent: idempotent && !before, replayable, left }) &&
      clock() + delay < end &&
      takeRetry(budget, settings.budget, clock())
    );
  }
}

/** Whether what was met may be tried again; `status` is nothing where there was no answer. */
export function decide({ status, sent, idempotent, replayable, left, statuses }) {
  return (!status || statuses.includes(status)) && (!sent || idempotent) && replayable && left > 1;
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
  const at = Math.max(0, Date.parse(/GMT$/.test(value) ? value : value + ' GMT') - now);
  if (at >= 0) return at;
}

/** What a `Proxy-Status` (RFC 9209) tells: the error nearest the origin, and whether the origin may have got the request. */
export function proxyStatus(value) {
  const bare = value?.replace(/"(\\.|[^"\\])*"/g, '""') ?? '';
  const type = bare.match(/; *error=([\w-]+)/)?.[1];
  const unsent = /^(dns|destination|tls_[cp]\w+)_|^connection_(refused|limit_reached)$/.test(type);
  // Of a chain of gateways, one may have sent what another refused.
  const code = value?.match(/; *details="(TG-\d+) /)?.[1];
  return { type, code, sent: !unsent || bare.includes(',') };
}

/** Two counts of the last ten seconds, side by side; a cell for each second. */
export class Window {
  cells = [];

  constructor(start) {
    this.start = start;
  }

  /** Adds to both, and returns the sums. */
  add(now, one, two) {
    const at = Math.floor((now - this.start) / 1000);
    const cell = this.cells[at % 10]?.[0] == at ? this.cells[at % 10] : [at, 0, 0];
    this.cells[at % 10] = [at, cell[1] + one, cell[2] + two];
    const recent = this.cells.filter(([second]) => second > at - 10);
    return recent.reduce(([a, b], [, c, d]) => [a + c, b + d], [0, 0]);
  }
}

/** Takes a retry from the budget, a window of exchanges and retries; false when there is none left. */
export function takeRetry(budget, { percent, floor }, now) {
  const [exchanges, retries] = budget.add(now, 0, 0);
  const granted = retries < Math.max(Math.floor((exchanges * percent) / 100), floor * 10);
  budget.add(now, 0, +granted);
  return granted;
}

/** Stops attempts at an origin that mostly fails, and finds out with single ones when it is well again. */
export class Breaker {
  constructor(now) {
    this.enter(now);
  }

  /** Asks for an attempt: a permit, which has to be reported whatever becomes of it, or nothing. */
  admit(now) {
    if (this.trial || now < this.until) return;
    this.trial = this.length >= 0;
    return this.window;
  }

  /** Says how a permitted attempt ended; `failed` is nothing where that says nothing of the origin. */
  report({ percent, volume, open, longest }, permit, failed, now) {
    // What began in an earlier state says nothing of the present one.
    if (permit != this.window) return;
    const { trial, length } = this;
    this.trial = false;
    if (failed === undefined) return;
    const [attempts, failures] = permit.add(now, 1, +failed);
    if (trial) this.enter(now, failed ? length * 2 : undefined, longest);
    else if (failed && attempts >= volume && failures * 100 >= attempts * percent) this.enter(now, open, longest);
  }

  /** Open for `length`, or closed if that is nothing. */
  enter(now, length, longest) {
    this.window = new Window(now);
    this.length = Math.min(length, longest);
    this.until = now + this.length;
  }
}

const origins = new Map();

/** The budget and the breaker of an origin; those of the 256 that were met last are kept. */
function booksOf(name) {
  const state = origins.get(name) ?? [new Window(clock()), new Breaker(clock())];
  origins.delete(name);
  origins.set(name, state);
  if (origins.size > 256) origins.delete([...origins.keys()][0]);
  return state;
}

/** Waits while the browser says that it has no network. */
async function online(signal) {
  while (globalThis.navigator?.onLine === false) {
    await wait(signal, (done) => addEventListener('online', done, { once: true, signal }));
  }
}

/** Waits until `begin`'s callback is called; rejects when the signal, which nobody else waits for, is aborted. */
function wait(signal, begin) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = begin(resolve);
    signal.onabort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
  });
}

/** Adds the problem details (RFC 9457) of an answer, which stays unread. */
async function withProblem(error) {
  const response = error?.response;
  const field = (name) => response?.headers.get(name);
  if (parseInt(field('Content-Length')) < 65536 && /^application\/problem\+json/.test(field('Content-Type'))) {
    error.problem = await response.clone().json().catch(() => {});
    error.code = error.problem?.code ?? error.code;
  }
  return error;
}

/** A key as the Idempotency-Key draft writes it: a quoted string. */
function newKey() {
  return `"${crypto.getRandomValues(new Uint32Array(4)).join('-')}"`;
}

const KEY = 'Idempotency-Key';
const RETRY = 'Retry-Attempt';
// Timers know no longer time than 2^31 - 1 ms, and fire at once beyond.
const later = (run, ms) => setTimeout(run, Math.min(ms, 2 ** 31 - 1));
const clock = () => performance.now();
