// What every route has in common: problems, limits, unknown paths.

import assert from 'node:assert/strict';

import { assertProblem, scenario } from '../world.mjs';

export default [
  scenario('an unknown route is a problem with status 404', async (w) => {
    assertProblem(await w.http('GET', '/api/no-such-route'), 404, 'not_found');
    assertProblem(await w.http('GET', '/no/such/page'), 404, 'not_found');
  }),

  scenario('a known route with another method is a problem with status 405', async (w) => {
    assertProblem(await w.http('GET', '/api/emit'), 405);
  }),

  scenario('a body over the limit is a problem with status 413', async (w) => {
    const body = { event: 'x', args: ['y'.repeat(1_200_000)], to: {} };
    assertProblem(await w.service('POST', '/api/emit', body), 413, 'payload_too_large');
  }),

  scenario('a body that is not JSON, or not what the route takes, is a problem', async (w) => {
    for (const body of ['{', '', '[]', '"text"', 'null', '{"event": 7}']) {
      const { status, text } = await w.service('POST', '/api/emit', body);
      assert.equal(status, 400, `${body} → ${status} ${text}`);
    }
  }),

  scenario('an id with a control character in it is a problem', async (w) => {
    const put = (id) => w.service('PUT', `/api/products/${id}/inventory`, { newInventory: 1 });
    assertProblem(await put('with%00nul'), 400);
    assertProblem(await put('x'.repeat(5000)), 400);
    assert.equal((await put('with%20space%2Fand%20slash')).status, 204);
  }),

  scenario('a bearer that is neither a key nor a token is refused', async (w) => {
    for (const as of ['nonsense', 'a.b.c', w.user('alice', {}, { alg: 'none' }).token]) {
      assertProblem(await w.http('GET', '/api/presence?users=a', { as }), 401);
    }
    const basic = { authorization: 'Basic YWxpY2U6c2VjcmV0' };
    assertProblem(await w.http('GET', '/api/presence?users=a', { headers: basic }), 401);
  }),
];
