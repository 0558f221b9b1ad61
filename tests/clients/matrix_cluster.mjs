// Runs every scenario with its actors spread over two nodes: each connection and each HTTP request
// goes to the other node than the one before.
//
// CLIENTS=4.8,2.5 narrows the clients; --test-name-pattern picks scenarios.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { DIALECTS, TRANSPORTS } from './client.mjs';
import { startCluster } from './cluster.mjs';
import { HTTP_ONLY, SPOKEN } from './scenarios.mjs';
import { unique } from './server.mjs';
import { Postgres, Redis } from './services.mjs';
import { PROFILES, World } from './world.mjs';

import chat from './scenarios/chat.mjs';
import direct from './scenarios/direct.mjs';
import identity from './scenarios/identity.mjs';
import presence from './scenarios/presence.mjs';
import rooms from './scenarios/rooms.mjs';

/** What each generation of clients shows, whichever node it is on. */
const SOME = [identity, rooms, chat, presence, direct].flat();
const ORIGINS = { ALLOWED_ORIGINS: 'http://shop.example,https://app.example' };

const SUITES = [
  ['4.8', 'websocket', SPOKEN],
  ['4.8', 'upgrade', SPOKEN],
  ['2.5', 'websocket', SOME],
  ['3.1', 'upgrade', SOME],
  ['msgpack', 'websocket', SOME],
];

const NODES = 2;
const AT_ONCE = 8;
const LIMIT_MS = 60_000;

const services = {};
before(async () => {
  [services.redis, services.postgres] = await Promise.all([Redis.start(), Postgres.start()]);
});
after(() => Promise.all([services.redis?.stop(), services.postgres?.remove()]));

/** One suite: its scenarios side by side, on one cluster for each profile that they name. */
function suite(name, scenarios, dialect, transport, settings = {}) {
  describe(name, { concurrency: AT_ONCE }, () => {
    const clusters = {};
    before(async () => {
      for (const profile of new Set(scenarios.map((one) => one.profile))) {
        const own = { ROOMCAST_CLUSTER__PREFIX: `matrix-${unique()}` };
        const env = { ...settings, ...dialect.settings, ...PROFILES[profile], ...own };
        clusters[profile] = await startCluster({ nodes: NODES, env, isDirect: true, ...services });
      }
    });
    after(async () => {
      const all = Object.values(clusters);
      await Promise.all(all.map((cluster) => cluster.stop()));
      assert.deepEqual(all.flatMap(({ panics }) => panics), []);
    });

    for (const { name: sentence, run, profile } of scenarios) {
      test(sentence, { timeout: LIMIT_MS }, async () => {
        const world = new World(clusters[profile].nodes, dialect, transport);
        try {
          await run(world);
        } finally {
          world.close();
        }
      });
    }
  });
}

const picked = process.env.CLIENTS?.split(',');
for (const [client, way, scenarios] of SUITES) {
  if (picked && !picked.includes(client)) continue;
  suite(`socket.io-client ${client}, ${way}`, scenarios, DIALECTS[client], TRANSPORTS[way]);
}

if (!picked) suite('HTTP', HTTP_ONLY, DIALECTS['4.8'], TRANSPORTS.websocket, ORIGINS);
