// What is counted by address is counted by the client's, and what may be as long as the limit may be so
// through nginx.

import assert from 'node:assert/strict';

import { PER_IP, chat, cluster, crowd, nginx, through } from './behind_nginx.mjs';
import { CONNECTED, DIALECTS, DISCONNECTED, REFUSED, TRANSPORTS } from './client.mjs';
import { address, calling } from './nginx.mjs';
import { upTo } from './observe.mjs';
import { Poller, Raw } from './raw.mjs';
import { API_KEY } from './server.mjs';
import { World, assertOk, assertProblem, assertRefused } from './world.mjs';

const PAYLOAD_BYTES = 1_000_000;

/** The code with which another connection is refused; nothing where it is let in. */
async function another(w, from, headers = {}) {
  const options = { ...calling(from), extraHeaders: headers, reconnection: false };
  const client = w.dial(w.user('another'), options);
  const refused = client.next(REFUSED).then((error) => error.data?.code ?? error.message);
  return Promise.race([client.next(CONNECTED).then(() => undefined), refused]);
}

for (const transport of ['polling', 'websocket']) {
  through(`limits by address over ${transport}`, {
    'count clients, not nginx, and no client can give another address': async ({ world }) => {
      const w = world(transport);
      const [alices, bobs] = [address(), address()];
      for (const n of upTo(PER_IP)) assert.equal(await another(w, alices), undefined, `connection ${n}`);
      const refusal = 'too_many_connections_per_ip';
      assert.equal(await another(w, alices), refusal);
      for (const forged of [bobs, '203.0.113.9', '127.0.0.1', 'nonsense']) {
        assert.equal(await another(w, alices, { 'X-Forwarded-For': forged }), refusal, forged);
      }
      assert.equal(await another(w, bobs), undefined);
      // Who does not come from nginx is not believed.
      const straight = new World(cluster.nodes, DIALECTS['4.8'], TRANSPORTS[transport]);
      try {
        assert.equal(await another(straight, address(), { 'X-Forwarded-For': alices }), undefined);
      } finally {
        straight.close();
      }
    },
  });
}

/** A text that makes what is around it so long, in bytes. */
const filler = (bytes, around) => 'x'.repeat(bytes - Buffer.byteLength(around('')));

/** How a body can be sent: with its length ahead, or in chunks. */
const SENT = {
  'with its length': (bytes) => ({ 'content-length': bytes }),
  'in chunks': () => ({ 'transfer-encoding': 'chunked' }),
};

const sentences = Object.entries(SENT).map(([how, header]) => [
  `a request ${how} may be as long as the limit, longer is 413`,
  async ({ world }) => {
    const path = `/api/channels/${world().id('long')}`;
    const json = (text) => JSON.stringify({ data: text });
    const post = (bytes) => {
      const common = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
      const headers = { ...common, ...header(bytes) };
      return nginx.ask('POST', path, { headers, body: json(filler(bytes, json)) });
    };
    assert.equal((await post(PAYLOAD_BYTES)).status, 202);
    for (const more of [1, PAYLOAD_BYTES, 10 * PAYLOAD_BYTES]) {
      // What depends on who is first shows when it is tried more than once.
      for (const _ of upTo(3)) assertProblem(await post(PAYLOAD_BYTES + more), 413, 'payload_too_large');
    }
  },
]);

through('the limit of payloads', {
  ...Object.fromEntries(sentences),

  'a poll may be as long as the limit, longer is 413': async ({ world }) => {
    const { token } = world().user('alice');
    const packet = (text) => `42${JSON.stringify(['typing:stop', text])}`;
    for (const more of [1, PAYLOAD_BYTES]) {
      const poller = await Poller.connect(nginx.url, token);
      const taken = await poller.post(packet(filler(PAYLOAD_BYTES, packet)));
      assert.deepEqual(taken, { status: 200, text: 'ok' });
      assert.equal((await poller.post(packet(filler(PAYLOAD_BYTES + more, packet)))).status, 413);
    }
  },

  'an event may be as long as the limit, longer is refused': async ({ world }) => {
    const raw = await Raw.connect(nginx.url, { token: world().user('alice').token });
    try {
      const first = (text) => `421${JSON.stringify(['join:room', text])}`;
      const longest = filler(PAYLOAD_BYTES, first);
      assertRefused(await raw.ask('join:room', longest), 'invalid_payload');
      assertRefused(await raw.ask('join:room', `${longest}x`), 'payload_too_large');
      assertOk(await raw.ask('presence:get', []));
    } finally {
      raw.close();
    }
  },

  'what is sent to nobody takes no node from those who are on it': async ({ world }) => {
    const w = world('polling');
    const members = await crowd(w, w.id('room'), 4);
    // A node answers at once, and whoever still writes to it sees a broken connection.
    const headers = { 'content-length': PAYLOAD_BYTES };
    const sent = { from: address(), body: 'x'.repeat(PAYLOAD_BYTES), headers };
    const post = () => nginx.ask('POST', '/nowhere', sent);
    for (const _ of upTo(10)) await Promise.all(upTo(4).map(post));
    await chat(members, w.id('room'), members.length);
    assert.deepEqual(members.flatMap((member) => member.heard(DISCONNECTED)), []);
  },
});
