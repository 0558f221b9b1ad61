// The nodes, and nginx before them as examples/cluster sets both up, which these tests share.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { contents, say } from './away.mjs';
import { DIALECTS, TRANSPORTS } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { Nginx, WITHOUT_STICKINESS, address, calling } from './nginx.mjs';
import { upTo } from './observe.mjs';
import { ROOT } from './program.mjs';
import { unique } from './server.mjs';
import { World, assertOk } from './world.mjs';

const LIMIT_MS = 60_000;
/** The most connections of one address. */
export const PER_IP = 40;
const ENV = {
  ROOMCAST_CONFIG: join(ROOT, 'examples', 'cluster', 'roomcast.toml'),
  // Here nginx is on this machine, not in a container's network.
  ROOMCAST_SERVER__TRUSTED_PROXIES: '127.0.0.1',
  ROOMCAST_LIMITS__CONNECTIONS_PER_IP: String(PER_IP),
};

export let cluster;
/** As the file has it. */
export let nginx;
/** With what the file says of clients that need nothing sticky. */
export let unsticky;

before(async () => {
  cluster = await startCluster({ nodes: 2, isDirect: true, env: ENV });
  nginx = await Nginx.start(cluster.urls);
  unsticky = await Nginx.start(cluster.urls, WITHOUT_STICKINESS);
});
after(async () => {
  await Promise.all([nginx?.stop(), unsticky?.stop()]);
  await cluster?.stop();
  assert.deepEqual(cluster?.panics ?? [], []);
});

/** Tests with clients of their own; `world` is one whose clients call nginx. */
export function through(name, tests) {
  describe(name, () => {
    for (const [sentence, run] of Object.entries(tests)) {
      test(sentence, { timeout: LIMIT_MS }, async (t) => {
        const worlds = [];
        const world = (transport = 'websocket', at = nginx) => {
          worlds.push(new World(at, DIALECTS['4.8'], TRANSPORTS[transport]));
          return worlds.at(-1);
        };
        try {
          await run({ t, world });
        } catch (error) {
          t.diagnostic(cluster.log);
          throw error;
        } finally {
          worlds.forEach((one) => one.close());
        }
      });
    }
  });
}

/** The members of one room, each from a network of its own. */
export function crowd(world, room, count) {
  return Promise.all(upTo(count).map(async (n) => {
    const from = address();
    const member = await world.connect(world.user(`user-${n}`), calling(from));
    assertOk(await member.ask('join:room', room));
    return Object.assign(member, { from });
  }));
}

/** Everyone says something in turn, so often, and hears all of it in one order. */
export async function chat(members, room, times) {
  const round = unique();
  const texts = upTo(times).map((n) => `${round}, message ${n}`);
  for (const [n, text] of texts.entries()) await say(members[n % members.length], room, text);
  for (const member of members) {
    await member.next('message:new', ({ content }) => content === texts.at(-1));
    assert.deepEqual(contents(member).slice(-times), texts, `${member.label} over ${member.transport}`);
  }
}
