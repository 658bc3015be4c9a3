// Waits, deadlines, signals, the network's absence and the breaker. Not here: which requests are repeated.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { failure, holdTimers, quick, serve } from '../fixture/servers.js';
import { resilientFetch } from '../tidegate-fetch.js';

const after = (seconds, more) => (response) => response.writeHead(503, { 'Retry-After': seconds, ...more }).end();

test('a server that says when is waited for in full', async (t) => {
  const Date = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const cases = [after('7'), after('Sun, 06 Nov 1994 08:49:44 GMT', { Date })];
  const timers = holdTimers(t, 7000);
  for (const busy of cases) {
    const { url, seen } = await serve(t, busy, 200);
    let asking;
    const delay = await new Promise((resolve) => {
      // Once the wait has begun.
      const onRetry = (retry) => setImmediate(resolve, retry.delay);
      asking = resilientFetch(url, { ...quick, onRetry });
    });
    assert.deepEqual([delay, seen.length], [7000, 1]);
    assert.equal(timers.fire(), 1);
    assert.equal((await asking).status, 200);
  }
});

test('a server that asks for more than there is time is not waited for', async (t) => {
  const { url, seen } = await serve(t, after('3600'));
  const onRetry = () => assert.fail('a wait begins');
  const error = await failure(resilientFetch(url, { ...quick, onRetry }));
  assert.deepEqual([error.status, error.retryAfter, seen.length], [503, 3_600_000, 1]);
});

test('an attempt that takes too long is cut off and tried again', async (t) => {
  const timers = holdTimers(t, 12_345);
  const { url, server, seen } = await serve(t, 'silence', 200);
  const kinds = [];
  const onRetry = ({ error }) => kinds.push(error.kind);
  const asking = resilientFetch(url, { ...quick, attemptTimeout: 12_345, onRetry });
  await once(server, 'request');
  assert.equal(timers.fire(), 1);
  assert.deepEqual([(await asking).status, kinds, seen.length], [200, ['timeout'], 2]);
});

test('a POST that took too long is not sent again', async (t) => {
  const timers = holdTimers(t, 12_345);
  const { url, server, seen } = await serve(t, 'silence', 200);
  const asking = failure(resilientFetch(url, { ...quick, method: 'POST', attemptTimeout: 12_345 }));
  await once(server, 'request');
  timers.fire();
  assert.deepEqual([(await asking).kind, seen.length], ['timeout', 1]);
});

test('the total deadline ends the attempt that it meets', async (t) => {
  const timers = holdTimers(t, 54_321);
  const { url, server, seen } = await serve(t, 502, 'silence');
  const asking = failure(resilientFetch(url, { ...quick, totalTimeout: 54_321 }));
  await once(server, 'request');
  await once(server, 'request');
  timers.fire();
  const { kind, attempts } = await asking;
  assert.deepEqual([kind, attempts, seen.length], ['timeout', 2, 2]);
});

test('no deadline cuts the body of an answer', async (t) => {
  const timers = holdTimers(t, 12_345);
  const { url, server } = await serve(t, (response) => {
    response.writeHead(200).write('first,');
    server.once('finish-it', () => response.end('last'));
  });
  const response = await resilientFetch(url, { attemptTimeout: 12_345, totalTimeout: 12_345 });
  assert.equal(timers.fire(), 0);
  server.emit('finish-it');
  assert.equal(await response.text(), 'first,last');
});

test('deadlines without end are none', async (t) => {
  const { url } = await serve(t, 200);
  assert.equal((await resilientFetch(url, { attemptTimeout: Infinity, totalTimeout: Infinity })).status, 200);
});

test('who aborts is obeyed in an attempt, in a wait, and before', async (t) => {
  const reason = new Error('enough');
  const silent = await serve(t, 'silence');
  const controller = new AbortController();
  const asking = failure(resilientFetch(silent.url, { ...quick, signal: controller.signal }));
  await once(silent.server, 'request');
  controller.abort(reason);
  assert.equal(await asking, reason);

  const busy = await serve(t, after('30'));
  const waiting = new AbortController();
  const onRetry = () => setImmediate(() => waiting.abort(reason));
  assert.equal(await failure(resilientFetch(busy.url, { ...quick, signal: waiting.signal, onRetry })), reason);
  assert.equal(await failure(resilientFetch(busy.url, { signal: waiting.signal })), reason);
  assert.equal(busy.seen.length, 1);
});

test('a signal still ends the body after the head', async (t) => {
  const { url } = await serve(t, (response) => response.writeHead(200).write('first'));
  const controller = new AbortController();
  const response = await resilientFetch(url, { signal: controller.signal });
  controller.abort(new Error('enough'));
  assert.match(String(await failure(response.text())), /enough|abort/i);
});

test('what onRetry throws ends the call', async (t) => {
  const { url, seen } = await serve(t, 502);
  const reason = new Error('no more');
  const onRetry = () => {
    throw reason;
  };
  assert.equal(await failure(resilientFetch(url, { ...quick, onRetry })), reason);
  assert.equal(seen.length, 1);
});

/** A browser's network, as the module looks at it. */
function network(t, onLine) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const target = new EventTarget();
  const navigator = { onLine };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  const listening = new Promise((resolve) => {
    globalThis.addEventListener = (...args) => {
      target.addEventListener(...args);
      resolve();
    };
  });
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.navigator;
    if (before) Object.defineProperty(globalThis, 'navigator', before);
  });
  const comeBack = () => {
    navigator.onLine = true;
    target.dispatchEvent(new Event('online'));
  };
  return { listening, comeBack };
}

test('without a network, nothing is sent until it is back', async (t) => {
  const { listening, comeBack } = network(t, false);
  const { url, seen } = await serve(t, 200);
  const asking = resilientFetch(url);
  await listening;
  assert.equal(seen.length, 0);
  comeBack();
  assert.equal((await asking).status, 200);
});

test('the total deadline ends the wait for the network', async (t) => {
  const { listening } = network(t, false);
  const timers = holdTimers(t, 12_345);
  const { url, seen } = await serve(t, 200);
  const asking = failure(resilientFetch(url, { totalTimeout: 12_345 }));
  await listening;
  timers.fire();
  assert.equal((await asking).kind, 'offline');
  assert.equal(seen.length, 0);
});

/** A breaker that opens with the first failures, for so long. */
const opens = (volume, open) => ({ percent: 50, volume, open, longest: 60_000 });

test('an origin that fails again and again is left alone, then asked once', async (t) => {
  const { url, seen } = await serve(t, ...Array(3).fill(502), 502, 200);
  const ask = () => resilientFetch(url, { ...quick, breaker: opens(3, 60_000) });
  const first = await failure(ask());
  assert.deepEqual([first.kind, first.attempts, seen.length], ['status', 3, 3], 'the fourth attempt is not made');
  assert.equal((await failure(ask())).kind, 'breaker');
  assert.equal(seen.length, 3);
});

test('an origin that was left alone and is back is asked by everybody', async (t) => {
  const { url, seen } = await serve(t, 502, 200);
  const ask = () => resilientFetch(url, { attempts: 1, breaker: opens(1, 0) });
  assert.equal((await failure(ask())).kind, 'status');
  assert.equal((await ask()).status, 200);
  const both = await Promise.all([ask(), ask()]);
  assert.deepEqual(both.map((response) => response.status), [200, 200]);
  assert.equal(seen.length, 4);
});

test('a page can wait for a site for as long as it takes', async (t) => {
  const { url, seen } = await serve(t, ...Array(25).fill(503), 204);
  const patient = { attempts: Infinity, totalTimeout: Infinity, budget: { percent: 100, floor: 100 }, breaker: { ...opens(1, 0), percent: 101 } };
  assert.equal((await resilientFetch(url, { ...quick, ...patient })).status, 204);
  assert.equal(seen.length, 26);
});

test('while one finds out whether an origin is back, others do not ask', async (t) => {
  let finish;
  const held = (response) => (finish = () => response.writeHead(200).end());
  const { url, server } = await serve(t, 502, held, 200);
  const breaker = opens(1, 0);
  await failure(resilientFetch(url, { attempts: 1, breaker }));
  const probe = resilientFetch(url, { breaker });
  await once(server, 'request');
  assert.equal((await failure(resilientFetch(url, { breaker }))).kind, 'breaker');
  finish();
  assert.equal((await probe).status, 200);
  assert.equal((await resilientFetch(url, { breaker })).status, 200);
});

test('a probe that is aborted lets another one try', async (t) => {
  const { url, server } = await serve(t, 502, 'silence', 200);
  const breaker = opens(1, 0);
  await failure(resilientFetch(url, { attempts: 1, breaker }));
  const controller = new AbortController();
  const probe = failure(resilientFetch(url, { breaker, signal: controller.signal }));
  await once(server, 'request');
  controller.abort();
  await probe;
  assert.equal((await resilientFetch(url, { breaker })).status, 200);
});

test('what the caller stops says nothing of the origin', async (t) => {
  const { url, server, seen } = await serve(t, 502, 'silence', 502);
  const ask = (more) => failure(resilientFetch(url, { attempts: 1, breaker: opens(2, 60_000), ...more }));
  await ask();
  const controller = new AbortController();
  const asking = ask({ signal: controller.signal });
  await once(server, 'request');
  controller.abort();
  await asking;
  assert.equal((await ask()).status, 502);
  assert.deepEqual([(await ask()).kind, seen.length], ['breaker', 3]);
});

test('the books of 256 origins are kept', async () => {
  const ask = (name, status) => {
    const fetch = async () => new Response(null, { status });
    return resilientFetch(`http://${name}.example/`, { fetch, attempts: 1, breaker: opens(1, 60_000) });
  };
  await failure(ask('down', 502));
  for (let other = 1; other < 256; other++) await ask(`other-${other}`, 204);
  assert.equal((await failure(ask('down', 200))).kind, 'breaker');
  for (let other = 1; other <= 256; other++) await ask(`another-${other}`, 204);
  assert.equal((await ask('down', 200)).status, 200);
});
