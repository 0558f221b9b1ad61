// The server that Roomcast is measured against: socket.io with the adapter that its documentation
// names for several nodes. It does what the measurement needs, and stores nothing.

import { createServer } from 'node:http';

import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const publishes = createClient({ url: process.env.REDIS_URL });
const subscribes = publishes.duplicate();
await Promise.all([publishes.connect(), subscribes.connect()]);

const http = createServer();
const io = new Server(http, { adapter: createAdapter(publishes, subscribes), transports: ['websocket'] });

/** The last seq of each room; messages are sent at one node only. */
const last = new Map();

io.on('connection', (socket) => {
  const userId = socket.handshake.auth.user;
  socket.on('join:room', async (roomId, ack) => {
    await socket.join(`room:${roomId}`);
    ack?.({ ok: true });
  });
  socket.on('message:send', ({ roomId, content, clientId }, ack) => {
    const seq = (last.get(roomId) ?? 0) + 1;
    last.set(roomId, seq);
    const message = {
      id: crypto.randomUUID(), seq, roomId, userId, username: userId, content, createdAt: new Date().toISOString(), clientId,
    };
    io.to(`room:${roomId}`).emit('message:new', message);
    ack?.({ ok: true, message });
  });
});

http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
// It ends with its parent.
process.stdin.on('end', () => process.exit()).resume();
