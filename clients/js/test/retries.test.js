// What is tried again and what is not, against servers that fail. Not here: deadlines, breaker, and what people are told.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { closedPort, failure, listen, quick, serve, stop } from '../fixture/servers.js';
import { GatewayError, resilientFetch } from '../tidegate-fetch.js';

test('a 502 that passes is never seen', async (t) => {
  const { url, seen } = await serve(t, 502, 503, 200);
  const response = await resilientFetch(url, quick);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), 'answer 3');
  assert.deepEqual(seen.map(({ headers }) => headers['retry-attempt']), [undefined, '1', '2']);
});

test('a connection that is reset is tried again', async (t) => {
  const { url, seen } = await serve(t, 'reset', 'reset', 200);
  assert.equal((await resilientFetch(url, quick)).status, 200);
  assert.equal(seen.length, 3);
});

test('a server that restarts is waited for', async (t) => {
  const { url, port, server } = await serve(t, 200);
  await resilientFetch(url, quick);
  await stop(server);
  const again = http.createServer((request, response) => response.end('back'));
  t.after(() => stop(again));
  const errors = [];
  // The retry itself is what brings the server back: no test here waits for a clock.
  const fetchOnceUp = async (request) => {
    if (errors.length == 2) await listen(again, port);
    return fetch(request);
  };
  const onRetry = ({ error }) => errors.push(error.code);
  const response = await resilientFetch(url, { ...quick, fetch: fetchOnceUp, onRetry });
  assert.equal(await response.text(), 'back');
  assert.deepEqual(errors, ['ECONNREFUSED', 'ECONNREFUSED']);
});

test('when nothing helps, the last answer comes with the error', async (t) => {
  const { url, seen } = await serve(t, 502);
  const error = await failure(resilientFetch(url, quick));
  assert.ok(error instanceof GatewayError);
  assert.deepEqual([error.kind, error.status, error.attempts, seen.length], ['status', 502, 4, 4]);
  assert.equal(await error.response.text(), 'answer 4');
});

test('other answers are the caller\'s', async (t) => {
  for (const status of [204, 404, 409, 500, 501]) {
    const { url, seen } = await serve(t, status);
    assert.equal((await resilientFetch(url, quick)).status, status);
    assert.equal(seen.length, 1);
  }
});

test('a POST is sent once', async (t) => {
  for (const answer of [502, 'reset']) {
    const { url, seen } = await serve(t, answer, 200);
    await failure(resilientFetch(url, { ...quick, method: 'POST', body: 'x' }));
    assert.equal(seen.length, 1);
  }
});

test('a POST with a key is sent again with the same key and body', async (t) => {
  const { url, seen } = await serve(t, 'reset', 502, 200);
  const response = await resilientFetch(url, { ...quick, method: 'POST', body: 'order', idempotencyKey: true });
  assert.equal(response.status, 200);
  const keys = new Set(seen.map(({ headers }) => headers['idempotency-key']));
  assert.equal(keys.size, 1);
  assert.match([...keys][0], /^"[\d-]{7,}"$/);
  assert.deepEqual(seen.map(({ body }) => body), ['order', 'order', 'order']);
});

test('every call has a key of its own, and one of the caller\'s is kept', async (t) => {
  const { url, seen } = await serve(t, 200);
  const post = (more) => resilientFetch(url, { ...quick, method: 'POST', idempotencyKey: true, ...more });
  await Promise.all([post(), post(), post({ headers: { 'Idempotency-Key': 'mine' } }), post({ idempotencyKey: 'ours' })]);
  const keys = seen.map(({ headers }) => headers['idempotency-key']);
  assert.equal(new Set(keys).size, 4);
  assert.ok(keys.includes('mine') && keys.includes('ours'));
});

test('a POST that was refused is sent again only where no redirect can be behind it', async () => {
  const url = `http://127.0.0.1:${await closedPort()}/`;
  const attempts = async (redirect) => (await failure(resilientFetch(url, { ...quick, method: 'POST', redirect }))).attempts;
  assert.equal(await attempts('error'), 4);
  assert.equal(await attempts('follow'), 1);
});

test('a POST that a gateway could not deliver is sent again', async (t) => {
  const refused = (response) => response.writeHead(502, { 'Proxy-Status': 'tidegate; error=connection_refused' }).end();
  const { url, seen } = await serve(t, refused, 200);
  assert.equal((await resilientFetch(url, { ...quick, method: 'POST', body: 'x' })).status, 200);
  assert.equal(seen.length, 2);
});

test('a POST that was acted upon before its redirect failed is not sent again', async (t) => {
  const moved = (response) => response.writeHead(303, { Location: '/done' }).end();
  const refused = (response) => response.writeHead(502, { 'Proxy-Status': 'tidegate; error=connection_refused' }).end();
  const { url, seen } = await serve(t, moved, refused, 200);
  assert.equal((await failure(resilientFetch(url, { ...quick, method: 'POST', body: 'x' }))).status, 502);
  assert.deepEqual(seen.map(({ method }) => method), ['POST', 'GET']);
});

test('a body that can be read once is sent once', async (t) => {
  const stream = new Blob(['x']).stream();
  const made = (url) => new Request(url, { method: 'PUT', body: 'x' });
  async function* parts() {
    yield new Uint8Array([120]);
  }
  for (const ask of [
    (url) => resilientFetch(url, { ...quick, method: 'PUT', body: stream, duplex: 'half' }),
    (url) => resilientFetch(url, { ...quick, method: 'PUT', body: parts(), duplex: 'half' }),
    (url) => resilientFetch(made(url), quick),
  ]) {
    const { url, seen } = await serve(t, 502, 200);
    assert.equal((await failure(ask(url))).status, 502);
    assert.deepEqual(seen.map(({ body }) => body), ['x']);
  }
});

test('a Request without a body is tried again', async (t) => {
  const { url, seen } = await serve(t, 502, 200);
  assert.equal((await resilientFetch(new Request(url, { headers: { 'X-Mine': '1' } }), quick)).status, 200);
  assert.equal(seen[1].headers['x-mine'], '1');
});

test('an answer that breaks off is not asked for again', async (t) => {
  const broken = (response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('half', () => response.socket.resetAndDestroy());
  };
  const { url, seen } = await serve(t, broken, 200);
  const read = resilientFetch(url, quick).then((response) => response.text());
  await failure(read);
  assert.equal(seen.length, 1);
});

test('who forwards a retry does not multiply it', async (t) => {
  const { url, seen } = await serve(t, 502);
  await failure(resilientFetch(url, { ...quick, headers: { 'Retry-Attempt': '1' } }));
  assert.equal(seen.length, 1);
});

test('what no application saw is tried again even so, and counted on', async (t) => {
  const refused = (response) => response.writeHead(502, { 'Proxy-Status': 'tidegate; error=connection_refused' }).end();
  const { url, seen } = await serve(t, refused, 200);
  assert.equal((await resilientFetch(url, { ...quick, headers: { 'Retry-Attempt': '1' } })).status, 200);
  assert.deepEqual(seen.map(({ headers }) => headers['retry-attempt']), ['1', '2']);
});

test('wrong arguments are said at once', async (t) => {
  const { url, seen } = await serve(t, 200);
  for (const ask of [() => resilientFetch('http://['), () => resilientFetch(url, { body: 'x' })]) {
    assert.ok((await failure(ask())) instanceof TypeError);
  }
  assert.equal(seen.length, 0);
});

test('retries stop where the budget ends', async (t) => {
  const { url, seen } = await serve(t, 502);
  const budget = { percent: 50, floor: 0 };
  const breaker = { failures: Infinity, rest: 0 };
  for (let exchange = 0; exchange < 10; exchange++) await failure(resilientFetch(url, { ...quick, budget, breaker }));
  assert.equal(seen.length, 15);
});
