// Workers beside two nodes, the rules under which these hear them, and which node takes messages up.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually, metric } from './observe.mjs';
import { unique } from './server.mjs';
import { Worker } from './worker.mjs';

const RULES = `
[[watch]]
event = "watch-table"
leave = "unwatch-table"
room = "table-{id}"

[[relay]]
channel = "tables:{id}:changed"
room = "table-{id}"
event = "table-changed"
payload = "/data"

[[relay]]
channel = "seats"
room = "table-{/table/id}"
event = "seat-taken"

[[relay]]
stream = "seat-stream"
room = "table-{/table}"
event = "seat-free"
payload = "/seat"

[[relay]]
stream = "order-stream"
as = "orders"

[[relay]]
stream = "note-stream"
as = "notifications"

[[relay]]
stream = "stock-stream"
as = "inventory-updates"
`;

const folder = mkdtempSync(join(tmpdir(), 'roomcast-rules-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'roomcast.toml');
writeFileSync(file, RULES);

/** Settings of a node that knows the rules. */
export const RULED = { ROOMCAST_CONFIG: file };

/** Alice on one node, bob and carol on the other. */
export const three = async ({ a, b }) =>
  [await a.connect(a.user('alice')), await b.connect(b.user('bob')), await b.connect(b.user('carol'))];

/** The same tests, which are given a worker, too. */
export const withWorker = (tests) => Object.fromEntries(
  Object.entries(tests).map(([sentence, run]) => [
    sentence,
    (world) => run({ ...world, worker: Worker.at(world.t, world.cluster.redis) }),
  ]),
);

const MESSAGES = 'roomcast_bridge_messages_total';

/** How many messages of a channel each node has counted, by what became of them. */
export const counted = (cluster, labels) =>
  Promise.all(cluster.nodes.map((node) => (node.isRunning ? metric(node, MESSAGES, labels) : 0)));

export const sum = (counts) => counts.reduce((all, one) => all + one, 0);

/** The index of the node that takes messages up now. */
export async function holder(cluster, worker) {
  const labels = { channel: 'broadcast:room', outcome: 'done' };
  const before = await counted(cluster, labels);
  const found = await eventually(async () => {
    await worker.publish(`broadcast:room:nobody-${unique()}`, { event: 'probe' });
    const now = await counted(cluster, labels);
    const indices = now.flatMap((count, n) => (count > before[n] ? [n] : []));
    return indices.length > 0 && indices;
  }, 'a node takes messages up');
  return found[0];
}
