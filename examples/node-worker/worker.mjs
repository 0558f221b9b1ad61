// Takes paid checkouts from a list in Redis and tells everybody who waits for one of them.
//
//   npm install && REDIS_URL=redis://localhost:6379 node worker.mjs
//   redis-cli rpush checkouts '{"id": "o1", "vendorId": "v1", "userId": "alice", "roomId": "kitchen",
//     "productId": 42, "left": 6}'

import { createClient } from 'redis';

const redis = createClient({ url: process.env.REDIS_URL });
const jobs = redis.duplicate(); // A connection that waits does nothing else.
for (const client of [redis, jobs]) {
  client.on('error', (error) => console.error(error.message));
  await client.connect();
}

const publish = (channel, payload) => redis.publish(channel, JSON.stringify(payload));

async function announce({ roomId, left, ...order }) {
  const { id, userId, productId } = order;
  await publish('inventory-updates', { productId, newInventory: left });
  await publish('orders', order);
  await publish(`notifications:${userId}`, { title: 'We have your order', orderId: id });
  await publish(`broadcast:room:${roomId}`, { event: 'order:paid', data: { orderId: id } });
}

process.once('SIGTERM', () => process.exit());

console.log('waiting for checkouts');
for (;;) {
  const { element } = await jobs.blPop('checkouts', 0);
  try {
    await announce(JSON.parse(element));
    console.log('announced', element);
  } catch (error) {
    console.error('skipped', element, error.message);
  }
}
