// Limits on connections that hold over all nodes, and what becomes of a node's part when it goes.

import assert from 'node:assert/strict';

import { Client, CONNECTED, DIALECTS, REFUSED } from './client.mjs';
import { eventually } from './observe.mjs';
import { testOnTwoNodes } from './two_nodes.mjs';

const LIMIT = 3;
const LEASE_MS = '1500';
const PER_USER = { ROOMCAST_LIMITS__CONNECTIONS_PER_USER: String(LIMIT), ROOMCAST_CLUSTER__LEASE_MS: LEASE_MS };
const PER_IP = { ROOMCAST_LIMITS__CONNECTIONS_PER_IP: String(LIMIT), ROOMCAST_CLUSTER__LEASE_MS: LEASE_MS };

/** Connects; what the client hears first: that it is connected, or why not. */
async function dial(opened, node, token) {
  const options = { reconnection: false, forceNew: true };
  const client = new Client(node.url, { dialect: DIALECTS['4.8'], transport: ['websocket'], token, options });
  opened.push(client);
  const code = await Promise.race([
    client.next(CONNECTED).then(() => undefined),
    client.next(REFUSED).then((error) => error.data.code),
  ]);
  return { client, code };
}

const LIMITS = {
  'the connections of a user': [PER_USER, 'too_many_connections_per_user', (world) => world.user('alice').token],
  'the connections of an address': [PER_IP, 'too_many_connections_per_ip', (world, n) => world.user(`u${n}`).token],
};

for (const [what, [env, refusal, token]] of Object.entries(LIMITS)) {
  testOnTwoNodes(`${what} are counted over both nodes`, { env }, async ({ cluster, a }) => {
    const opened = [];
    const same = token(a, 0);
    const connect = (node, n) => dial(opened, cluster.nodes[node], refusal.endsWith('user') ? same : token(a, n));
    try {
      const first = await connect(0, 1);
      assert.deepEqual([first.code, (await connect(1, 2)).code, (await connect(0, 3)).code], Array(LIMIT).fill());
      for (const node of [0, 1]) assert.equal((await connect(node, 4)).code, refusal);
      first.client.close();
      await eventually(async () => (await connect(1, 5)).code === undefined, 'a place is free again');
      // Two of the three are the second node's; the first takes its one along.
      await cluster.nodes[0].kill();
      const isFree = async () => (await connect(1, 6)).code === undefined;
      await eventually(isFree, 'the place of the node that is gone is free');
      assert.equal((await connect(1, 7)).code, refusal);
    } finally {
      opened.forEach((client) => client.close());
    }
  });
}
