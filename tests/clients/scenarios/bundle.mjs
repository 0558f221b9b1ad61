// The stock browser client, as Node's server serves it.

import assert from 'node:assert/strict';

import { scenario } from '../world.mjs';

const SCRIPTS = ['', '.min', '.esm.min', '.msgpack.min'].map((kind) => `/socket.io/socket.io${kind}.js`);

export default [
  scenario('every variant of the client is served as a script', async (w) => {
    for (const path of SCRIPTS) {
      const got = await w.http('GET', path);
      assert.equal(got.status, 200, path);
      assert.match(got.type, /^(application|text)\/javascript/);
      assert.match(got.text, /Socket\.IO v4\.|sourceMappingURL/);
      assert.ok(got.text.length > 10_000, path);
    }
  }),

  scenario('every variant has its source map', async (w) => {
    for (const path of SCRIPTS) {
      const got = await w.http('GET', `${path}.map`);
      assert.equal(got.status, 200, path);
      assert.match(got.type, /^application\/json/);
      assert.equal(got.body.version, 3);
    }
  }),

  scenario('a browser that has the client is answered 304', async (w) => {
    for (const path of SCRIPTS) {
      const first = await w.http('GET', path);
      const etag = first.headers.get('etag');
      assert.ok(etag, path);
      for (const known of [etag, `W/${etag.replace(/^W\//, '')}`]) {
        const again = await w.http('GET', path, { headers: { 'if-none-match': known } });
        assert.equal(again.status, 304, `${path} ${known}`);
        assert.equal(again.text, '');
      }
      const other = await w.http('GET', path, { headers: { 'if-none-match': '"0.9.0"' } });
      assert.equal(other.status, 200);
    }
  }),

  scenario('a client that does not exist is 404', async (w) => {
    const { status } = await w.http('GET', '/socket.io/socket.io.nonsense.js');
    assert.ok(status === 404 || status === 400, String(status));
  }),
];
