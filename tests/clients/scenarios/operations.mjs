// What an operator asks: is it alive, is it ready, what does it offer, how is it doing.

import assert from 'node:assert/strict';

import { scenario } from '../world.mjs';

/** Every route of the contract that this server has, as OpenAPI writes it. */
const ROUTES = [
  ['post', '/api/payments/make-payment-with-socket'],
  ['post', '/api/payments/{paymentId}/status'],
  ['post', '/api/driver/{driverId}/location'],
  ['get', '/api/driver/{driverId}/location'],
  ['put', '/api/products/{productId}/inventory'],
  ['post', '/api/emit'],
  ['get', '/api/rooms/{roomId}/messages'],
  ['put', '/api/rooms/{roomId}/members/{userId}'],
  ['delete', '/api/rooms/{roomId}/members/{userId}'],
  ['get', '/api/rooms/{roomId}/presence'],
  ['get', '/api/presence'],
  ['delete', '/api/users/{userId}/sessions'],
  ['post', '/api/tokens/revoke'],
];

export default [
  scenario('the server says that it is live and ready', async (w) => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await w.http('GET', path);
      assert.equal(answer.status, 200, `${path}: ${answer.text}`);
    }
  }),

  scenario('every route is described by OpenAPI', async (w) => {
    const { status, body } = await w.http('GET', '/api/openapi.json');
    assert.equal(status, 200);
    assert.match(body.openapi, /^3\./);
    for (const [method, path] of ROUTES) {
      assert.ok(body.paths[path]?.[method], `${method} ${path} is not described`);
    }
  }),

  scenario('the metrics are in the Prometheus format', async (w) => {
    const metrics = await w.http('GET', '/metrics');
    assert.equal(metrics.status, 200, metrics.text);
    assert.match(metrics.text, /^# TYPE \w+ (counter|gauge|histogram|summary)$/m);
    assert.match(metrics.text, /connections/);
  }),
];
