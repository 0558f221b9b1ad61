// Pages of other origins: CORS on every route, and the WebSocket upgrade.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as open } from 'node:http';

import { scenario } from '../world.mjs';

// Both are on the list that the suite configures.
const SHOP = 'http://shop.example';
const APP = 'https://app.example';
const STRANGER = 'https://evil.example';

const ROUTES = [
  ['/api/payments/make-payment-with-socket', 'POST'],
  ['/api/products/7/inventory', 'PUT'],
  ['/api/users/alice/sessions', 'DELETE'],
  ['/socket.io/?EIO=4&transport=polling', 'POST'],
];

/** The status that answers a WebSocket handshake from this origin. */
function upgrade(w, origin) {
  return new Promise((resolve, reject) => {
    const request = open(`${w.url}/socket.io/?EIO=4&transport=websocket`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        ...(origin && { origin }),
      },
    });
    request.setTimeout(10_000, () => request.destroy(new Error('no answer to the handshake')));
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    request.end();
  });
}

const preflight = (w, origin, [path, method]) =>
  w.http('OPTIONS', path, {
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  });

export default [
  scenario('a preflight of a configured origin is allowed, with credentials', async (w) => {
    for (const origin of [SHOP, APP]) {
      for (const route of ROUTES) {
        const { status, headers } = await preflight(w, origin, route);
        assert.ok(status === 200 || status === 204, `${route}: ${status}`);
        assert.equal(headers.get('access-control-allow-origin'), origin);
        assert.equal(headers.get('access-control-allow-credentials'), 'true');
        assert.ok(headers.get('access-control-allow-methods').includes(route[1]), route.join(' '));
        const allowed = headers.get('access-control-allow-headers').toLowerCase();
        assert.ok(allowed.includes('authorization') && allowed.includes('content-type'), allowed);
      }
    }
  }),

  scenario('another origin is allowed nothing', async (w) => {
    for (const route of ROUTES) {
      const { headers } = await preflight(w, STRANGER, route);
      assert.notEqual(headers.get('access-control-allow-origin'), STRANGER);
      assert.notEqual(headers.get('access-control-allow-origin'), '*');
    }
  }),

  scenario('answers and failures carry the origin, and caches are told that they vary', async (w) => {
    for (const path of ['/healthz', '/api/presence?users=a', '/socket.io/?EIO=4&transport=polling']) {
      const { headers } = await w.http('GET', path, { headers: { origin: SHOP } });
      assert.equal(headers.get('access-control-allow-origin'), SHOP, path);
      assert.equal(headers.get('access-control-allow-credentials'), 'true', path);
      assert.match(headers.get('vary') ?? '', /origin/i, path);
    }
  }),

  scenario('a WebSocket upgrade is taken from a configured origin or from no page at all', async (w) => {
    assert.equal(await upgrade(w, SHOP), 101);
    assert.equal(await upgrade(w, APP), 101);
    assert.equal(await upgrade(w), 101);
  }),

  scenario('a WebSocket upgrade from another origin is refused', async (w) => {
    assert.equal(await upgrade(w, STRANGER), 403);
    assert.equal(await upgrade(w, `${SHOP}.evil.example`), 403);
  }),
];
