// What an error carries and what people are told; and how large the module is. Not here: when there is an error.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { closedPort, failure, quick, serve } from '../fixture/servers.js';
import { GatewayError, messages, resilientFetch, userMessage } from '../tidegate-fetch.js';

const PROBLEM = {
  type: 'about:blank',
  title: 'Bad Gateway',
  status: 502,
  detail: 'The service behind this site is not running at the moment. Try again in a minute.',
  code: 'TG-2001',
  cause: 'connect_refused',
  request_id: '0123',
};

/** An answer with this body as problem details. */
const telling = (body, type = 'application/problem+json') => (response) => {
  response.writeHead(502, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
};

test('problem details come with the error, and the answer stays unread', async (t) => {
  const { url } = await serve(t, telling(JSON.stringify(PROBLEM)));
  const error = await failure(resilientFetch(url, quick));
  assert.deepEqual([error.code, error.problem.cause, error.problem.request_id], ['TG-2001', 'connect_refused', '0123']);
  assert.deepEqual(await error.response.json(), PROBLEM);
  assert.equal(userMessage(error), PROBLEM.detail);
});

test('problem details that are none, or too large, are left alone', async (t) => {
  const large = JSON.stringify({ code: 'TG-2001', detail: 'x'.repeat(1 << 16) });
  for (const answer of [telling('{'), telling(large), telling(JSON.stringify(PROBLEM), 'application/json')]) {
    const { url } = await serve(t, answer);
    const error = await failure(resilientFetch(url, quick));
    assert.deepEqual([error.status, error.problem, error.code], [502, undefined, undefined]);
  }
});

test('what another server says in its details is not for people', async (t) => {
  const { url } = await serve(t, telling(JSON.stringify({ detail: 'upstream pool "b" is empty', code: 7 })));
  assert.equal(userMessage(await failure(resilientFetch(url, quick))), messages.down);
});

test('Proxy-Status says why', async (t) => {
  const value = 'tidegate; error=connection_refused; details="TG-2001 connect_refused"';
  const { url } = await serve(t, (response) => response.writeHead(502, { 'Proxy-Status': value }).end());
  const error = await failure(resilientFetch(url, quick));
  assert.deepEqual([error.type, error.code, error.sent], ['connection_refused', 'TG-2001', false]);
  assert.match(error.message, /^502 connection_refused from http/);
});

test('without an answer, the error says what the system said', async () => {
  const error = await failure(resilientFetch(`http://127.0.0.1:${await closedPort()}/`, quick));
  assert.deepEqual([error.kind, error.code, error.attempts], ['network', 'ECONNREFUSED', 4]);
  assert.ok(error.cause instanceof TypeError);
  assert.match(error.message, /ECONNREFUSED/);
  assert.equal(userMessage(error), messages.unreachable);
});

test('each kind has a text that says what to do', () => {
  const say = (kind, more) => userMessage(new GatewayError(kind, '', more));
  assert.equal(say('offline'), messages.offline);
  assert.equal(say('breaker'), messages.down);
  assert.equal(say('timeout', { sent: true }), messages.slow);
  assert.equal(say('status', { status: 504 }), messages.slow);
  assert.equal(say('status', { status: 503 }), messages.busy);
  assert.equal(say('status', { status: 429 }), messages.busy);
  assert.equal(say('status', { status: 502, sent: true, idempotent: true }), messages.down);
  assert.equal(say('status', { status: 502, sent: true, idempotent: false }), messages.brokeOff);
  assert.equal(say('status', { status: 502, sent: false, idempotent: false }), messages.down);
  assert.equal(say('network', { sent: true, idempotent: false }), messages.brokeOff);
  for (const odd of [new Error('x'), undefined, null, 'text', { kind: 'constructor' }]) assert.equal(userMessage(odd), messages.other);
});

test('texts can be translated', (t) => {
  const { down } = messages;
  t.after(() => Object.assign(messages, { down }));
  Object.assign(messages, { down: 'Der Dienst ist gerade nicht da.' });
  assert.equal(userMessage(new GatewayError('breaker', '')), 'Der Dienst ist gerade nicht da.');
});

test('minified by esbuild and packed by gzip -9, the module is at most 3 KB', (t) => {
  const file = fileURLToPath(new URL('../tidegate-fetch.js', import.meta.url));
  const { error, status, stdout } = spawnSync('esbuild', ['--minify', file]);
  if (error && process.env.TIDEGATE_REQUIRE_PEERS != '1') return t.skip('esbuild, from Debian, is not there');
  assert.deepEqual([error, status], [undefined, 0]);
  const { length } = gzipSync(stdout, { level: 9 });
  t.diagnostic(`${length} bytes`);
  assert.ok(length > 1000 && length <= 3000, `${length} bytes`);
});
