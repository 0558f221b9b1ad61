// The server that Roomcast is measured against: socket.io as its documentation shows it, with the events
// that are measured. It verifies the same tokens, and stores nothing.

import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';

import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';

// Of a text, jsonwebtoken tries each time whether it is a public key, which takes half a millisecond.
const SECRET = createSecretKey(Buffer.from(process.env.JWT_SECRET));
const API_KEYS = (process.env.API_KEYS ?? '').split(',');
const LOCATION = /^\/api\/driver\/([^/]+)\/location$/;

const verify = (token) => jwt.verify(token, SECRET, { algorithms: ['HS256'] });

/** On several nodes, the adapter that socket.io's documentation names. */
async function adapter() {
  if (!process.env.REDIS_URL) return {};
  const { createAdapter } = await import('@socket.io/redis-adapter');
  const { createClient } = await import('redis');
  const publishes = createClient({ url: process.env.REDIS_URL });
  const subscribes = publishes.duplicate();
  await Promise.all([publishes.connect(), subscribes.connect()]);
  return { adapter: createAdapter(publishes, subscribes) };
}

const http = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    try {
      response.statusCode = answer(request, body);
    } catch {
      response.statusCode = 400;
    }
    response.end();
  });
});
const io = new Server(http, await adapter());

/** The status of a request; what it asks for is done. */
function answer({ method, url, headers }, body) {
  const bearer = headers.authorization?.replace('Bearer ', '');
  const driverId = LOCATION.exec(url)?.[1];
  if (method === 'POST' && driverId) {
    if (verify(bearer).sub !== driverId) return 403;
    const update = { driverId, ...JSON.parse(body), timestamp: Date.now() };
    io.to(`tracking:${driverId}`).emit('location-update', update);
    return 204;
  }
  if (method === 'POST' && url === '/api/emit') {
    if (!API_KEYS.includes(bearer)) return 401;
    const { event, args, to } = JSON.parse(body);
    io.to(to.rooms).emit(event, ...args);
    return 202;
  }
  return 404;
}

/** The last seq of each room; a room's messages are sent at one node. */
const last = new Map();

io.use((socket, next) => {
  try {
    const { sub, name } = verify(socket.handshake.auth.token);
    Object.assign(socket.data, { userId: sub, username: name ?? sub });
    next();
  } catch {
    next(new Error('Invalid token'));
  }
});

io.on('connection', (socket) => {
  const { userId, username } = socket.data;
  socket.emit('socket-id', socket.id);
  socket.on('join:room', async (roomId, ack) => {
    await socket.join(`room:${roomId}`);
    ack?.({ ok: true });
  });
  socket.on('message:send', ({ roomId, content }, ack) => {
    const seq = (last.get(roomId) ?? 0) + 1;
    last.set(roomId, seq);
    const id = crypto.randomUUID();
    const message = { id, seq, roomId, userId, username, content, createdAt: new Date().toISOString() };
    io.to(`room:${roomId}`).emit('message:new', message);
    ack?.({ ok: true, message });
  });
  socket.on('presence:get', (userIds, ack) => {
    ack?.({ ok: true, presence: {} });
  });
  socket.on('watch-delivery', async (driverId, ack) => {
    await socket.join(`tracking:${driverId}`);
    ack?.({ ok: true, location: null });
  });
});

http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
// It ends with its parent.
process.stdin.on('end', () => process.exit()).resume();
