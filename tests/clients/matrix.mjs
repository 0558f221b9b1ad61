// Runs every scenario with every published client over every transport.
//
// CLIENTS=4.8,2.5 and TRANSPORTS=websocket narrow the matrix; --test-name-pattern picks scenarios.

import { after, before, describe, test } from 'node:test';

import { DIALECTS, TRANSPORTS } from './client.mjs';
import { HTTP_ONLY, SPOKEN } from './scenarios.mjs';
import { Server } from './server.mjs';
import { PROFILES, World } from './world.mjs';

const AT_ONCE = 12;
const LIMIT_MS = 40_000;

const picked = (variable, all) => {
  const names = process.env[variable]?.split(',');
  return Object.entries(all).filter(([name]) => !names || names.includes(name));
};

/** One suite: its scenarios side by side, on one server for each profile that they name. */
function suite(name, scenarios, dialect, transport, settings = {}) {
  describe(name, { concurrency: AT_ONCE }, () => {
    const servers = {};
    before(async () => {
      for (const profile of new Set(scenarios.map((one) => one.profile))) {
        const all = { ...settings, ...dialect.settings, ...PROFILES[profile] };
        servers[profile] = await Server.start(all);
      }
    });
    after(() => Promise.all(Object.values(servers).map((server) => server.stop())));

    for (const { name: sentence, run, profile } of scenarios) {
      test(sentence, { timeout: LIMIT_MS }, async () => {
        const world = new World(servers[profile], dialect, transport);
        try {
          await run(world);
        } finally {
          world.close();
        }
      });
    }
  });
}

for (const [client, dialect] of picked('CLIENTS', DIALECTS)) {
  for (const [way, transport] of picked('TRANSPORTS', TRANSPORTS)) {
    suite(`socket.io-client ${client}, ${way}`, SPOKEN, dialect, transport);
  }
}

if (!process.env.CLIENTS) {
  const settings = { ALLOWED_ORIGINS: 'http://shop.example,https://app.example' };
  suite('HTTP', HTTP_ONLY, DIALECTS['4.8'], TRANSPORTS.websocket, settings);
}
