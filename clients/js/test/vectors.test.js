// The table that is shared with the gateway, clients/vectors.json; crates/policy/tests/vectors.rs reads the same one.
// Not here: anything that goes over a socket.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as client from '../tidegate-fetch.js';

const table = JSON.parse(readFileSync(new URL('../../vectors.json', import.meta.url)));

/** The rows of a part of the table, of which there are some. */
function rows(list) {
  assert.ok(list.length > 0);
  return list;
}

test('the defaults are those of the table', () => {
  assert.deepEqual(client.defaults, table.defaults.client);
});

test('waits reach their bound and no further', () => {
  for (const row of rows(table.backoff)) {
    rows(row.bounds).forEach((bound, retry) => {
      assert.equal(client.backoff(row, retry, row.retryAfter, 1), bound, JSON.stringify(row));
      assert.equal(client.backoff(row, retry, row.retryAfter, 0), row.retryAfter ?? 0, JSON.stringify(row));
    });
  }
});

test('the same requests are repeated', () => {
  const { statuses } = table.defaults.client;
  for (const row of rows(table.decisions)) {
    const idempotent = row.key || client.isIdempotent(row.method);
    assert.equal(client.decide({ ...row, idempotent, statuses }), row.retry, JSON.stringify(row));
  }
});

test('the statuses of the client are the conditions of the table', () => {
  const statuses = table.conditions.filter((word) => word.startsWith('http_')).map((word) => Number(word.slice(5)));
  assert.deepEqual(client.defaults.statuses, statuses);
});

test('the same methods are idempotent', () => {
  for (const method of rows(table.methods.idempotent)) assert.ok(client.isIdempotent(method), method);
  for (const method of rows(table.methods.other)) assert.ok(!client.isIdempotent(method), method);
  assert.ok(client.isIdempotent('get'), 'fetch writes it in capitals');
});

test('Retry-After is read the same', () => {
  for (const { value, wait } of rows(table.retryAfter.cases)) {
    assert.equal(client.parseRetryAfter(value, table.retryAfter.now) ?? null, wait, value);
  }
  assert.equal(client.parseRetryAfter(null, 0), undefined);
});

test('budgets run out and come back the same', () => {
  for (const { steps, ...settings } of rows(table.budgets)) {
    const budget = new client.Window(5000);
    for (const { at, exchanges = 0, takes = 0, granted = 0 } of rows(steps)) {
      for (let i = 0; i < exchanges; i++) budget.add(5000 + at, 1, 0);
      let got = 0;
      for (let i = 0; i < takes; i++) got += client.takeRetry(budget, settings, 5000 + at);
      assert.equal(got, granted, JSON.stringify({ at, takes, settings }));
    }
  }
});

test('breakers open and close the same', () => {
  const failed = { failure: true, success: false, neutral: undefined };
  for (const { note, steps, ...settings } of rows(table.breakers)) {
    const breaker = new client.Breaker(5000);
    const kept = {};
    for (const { at, admit, end, refused, attempts = 0, outcome, open } of rows(steps)) {
      const now = 5000 + at;
      const step = JSON.stringify({ note, at, admit, end });
      if (refused) assert.equal(breaker.admit(now), undefined, step);
      if (admit) assert.ok((kept[admit] = breaker.admit(now)), step);
      if (end) breaker.report(settings, kept[end], failed[outcome], now);
      for (let i = 0; i < attempts; i++) {
        const permit = breaker.admit(now);
        assert.ok(permit, step);
        breaker.report(settings, permit, failed[outcome], now);
      }
      if (open !== undefined) assert.equal(breaker.length >= 0, open, step);
    }
  }
});

test('Proxy-Status is understood', () => {
  for (const { value, type, sent, code } of rows(table.proxyStatus)) {
    const said = client.proxyStatus(value);
    assert.deepEqual({ type: said.type ?? null, sent: said.sent, code: said.code ?? null }, { type, sent, code }, value);
  }
});

test('people are told what the gateway tells them', () => {
  for (const [name, { text }] of rows(Object.entries(table.messages))) assert.equal(client.messages[name], text);
});
