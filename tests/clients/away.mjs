// Clients that go away and come back, and what they missed.

import { CONNECTED, DIALECTS, DISCONNECTED } from './client.mjs';
import { Server } from './server.mjs';
import { World, assertOk } from './world.mjs';

/** Connection state recovery, which is off by default. */
export const RECOVERY = { ROOMCAST_RECOVERY__ENABLED: 'true' };
export const WEBSOCKET = ['websocket'];

/** Runs with connections of its own, which are closed at the end. */
export async function inWorld(server, transport, run) {
  const world = new World(server, DIALECTS['4.8'], transport);
  try {
    await run(world);
  } finally {
    world.close();
  }
}

export const say = async (client, room, content) =>
  assertOk(await client.ask('message:send', { roomId: room, content })).message;

/** The texts of all that the client heard under this name. */
export const contents = (client, event = 'message:new') => client.heard(event).map(({ content }) => content);

/** The same on a server of its own. */
export async function onServer(settings, run) {
  const server = await Server.start(settings);
  try {
    await inWorld(server, WEBSOCKET, (world) => run(world, server));
  } finally {
    await server.stop();
  }
}

/** Drops the client, which stays away until it is told to come back. */
export async function leave(client) {
  client.socket.io.reconnection(false);
  client.drop();
  await client.next(DISCONNECTED);
}

/** Resolves with whether its session was recovered. */
export async function comeBack(client) {
  client.socket.io.reconnection(true);
  client.socket.connect();
  await client.next(CONNECTED);
  return client.socket.recovered;
}

/** Alice and bob in a room where both have heard one message; bob may be in another world. */
export async function pair(w, bobs = w) {
  const room = w.id('room');
  const users = { alice: w.user('alice'), bob: w.user('bob') };
  const alice = await w.member(users.alice, room);
  const bob = await bobs.member(users.bob, room);
  await say(alice, room, 'before');
  await bob.next('message:new');
  return { room, users, alice, bob };
}
