// Which sessions are not recovered, and who else gets what it missed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { RECOVERY, WEBSOCKET, comeBack, contents, inWorld, leave, onServer, pair, say } from './away.mjs';
import { REFUSED } from './client.mjs';
import { elapse } from './observe.mjs';
import { Server, mint } from './server.mjs';
import { assertOk, assertRefused } from './world.mjs';

const SHORT_WINDOW_MS = 500;

describe('what cannot be shown to be the same session, and whole, is not recovered', () => {
  let server;
  let brief;
  before(async () => {
    server = await Server.start(RECOVERY);
    brief = await Server.start({ ...RECOVERY, ROOMCAST_RECOVERY__WINDOW_MS: String(SHORT_WINDOW_MS) });
  });
  after(() => Promise.all([server.stop(), brief.stop()]));

  /** A new session that heard nothing of what the old one missed, and that works. */
  async function assertFresh(w, client, { alice, room, heard, id }) {
    assert.ok(!client.socket.recovered, 'recovered');
    assert.notEqual(client.id, id);
    await w.settle(client);
    assert.deepEqual(contents(client), heard);
    assertOk(await client.ask('join:room', room));
    await say(alice, room, 'welcome');
    await w.settle(client);
    assert.deepEqual(contents(client), [...heard, 'welcome']);
  }

  /** Each changes what bob brings when he comes back. */
  const wrong = {
    'a pid that nobody was given': ({ socket }) => {
      socket._pid = 'no-such-pid';
    },
    'an offset that was never given': ({ socket }) => {
      socket._lastOffset = 'no-such-offset';
    },
    'no offset': ({ socket }) => {
      socket._lastOffset = undefined;
    },
    'a pid and an offset that are not texts': ({ socket }) => {
      socket._pid = { $ne: null };
      socket._lastOffset = 7;
    },
    'the pid of a socket, which everybody knows': ({ socket }, { id }) => {
      socket._pid = id;
    },
  };

  for (const [what, change] of Object.entries(wrong)) {
    test(what, () =>
      inWorld(server, WEBSOCKET, async (w) => {
        const { room, alice, bob } = await pair(w);
        const { id } = bob;
        await leave(bob);
        await say(alice, room, 'missed');
        change(bob, { id });
        await comeBack(bob);
        await assertFresh(w, bob, { alice, room, heard: ['before'], id });
      }));
  }

  test('the pid and the offset of another user', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      const carol = await w.connect(w.user('carol'));
      const { id } = bob;
      const { _pid, _lastOffset } = bob.socket;
      await leave(bob);
      await say(alice, room, 'missed');
      await leave(carol);
      Object.assign(carol.socket, { _pid, _lastOffset });
      await comeBack(carol);
      await assertFresh(w, carol, { alice, room, heard: [], id });
      assert.equal(await comeBack(bob), true, 'the attempt cost bob his session');
      await w.settle(bob);
      assert.deepEqual(contents(bob), ['before', 'missed', 'welcome']);
    }));

  test('the session of a token that was revoked', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, users, alice, bob } = await pair(w);
      const { id } = bob;
      await leave(bob);
      await say(alice, room, 'missed');
      const revoked = await w.service('POST', '/api/tokens/revoke', { token: users.bob.token });
      assert.equal(revoked.status, 204, revoked.text);
      bob.socket.connect();
      assert.equal((await bob.next(REFUSED)).message, 'Invalid token');
      bob.socket.auth = { token: mint({ sub: users.bob.id, rooms: ['*'] }) };
      await comeBack(bob);
      await assertFresh(w, bob, { alice, room, heard: ['before'], id });
    }));

  test('a session whose window has passed', () =>
    inWorld(brief, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      const { id } = bob;
      await leave(bob);
      await say(alice, room, 'missed');
      await elapse(3 * SHORT_WINDOW_MS);
      await comeBack(bob);
      await assertFresh(w, bob, { alice, room, heard: ['before'], id });
    }));

  test('a session that ended with a goodbye', () =>
    inWorld(server, WEBSOCKET, async (w) => {
      const { room, alice, bob } = await pair(w);
      const { id } = bob;
      bob.close();
      await alice.next('user:left');
      await say(alice, room, 'missed');
      await comeBack(bob);
      await assertFresh(w, bob, { alice, room, heard: ['before'], id });
    }));
});

test('a client that brings only an offset gets what its one lost session missed', () =>
  onServer(RECOVERY, async (w) => {
    const { room, users, alice, bob } = await pair(w);
    const offset = bob.socket._lastOffset;
    await leave(bob);
    await say(alice, room, 'missed');
    // Clients for Java and Swift know no pid: the application brings the offset by itself.
    bob.socket._pid = undefined;
    bob.socket._lastOffset = undefined;
    bob.socket.auth = { token: users.bob.token, offset };
    await comeBack(bob);
    await say(alice, room, 'live');
    await w.settle(bob);
    assert.deepEqual(contents(bob), ['before', 'missed', 'live']);
  }));

test('who was removed from a room while away hears nothing of it', () =>
  onServer({ ...RECOVERY, ROOMCAST_ROOMS__ACCESS: 'members' }, async (w) => {
    const room = w.id('room');
    const users = { alice: w.user('alice'), bob: w.user('bob') };
    const member = async (method, user) => {
      const done = await w.service(method, `/api/rooms/${room}/members/${user.id}`);
      assert.equal(done.status, 204, done.text);
    };
    await member('PUT', users.alice);
    await member('PUT', users.bob);
    const [alice, bob] = [await w.member(users.alice, room), await w.member(users.bob, room)];
    await say(alice, room, 'before');
    await bob.next('message:new');
    await leave(bob);
    await say(alice, room, 'while he is a member');
    await member('DELETE', users.bob);
    await say(alice, room, 'without him');
    await comeBack(bob);
    await say(alice, room, 'still without him');
    await w.settle(bob);
    assert.deepEqual(contents(bob), ['before']);
    const ack = await bob.ask('message:send', { roomId: room, content: 'am I in?' });
    assertRefused(ack, 'not_in_room');
  }));

/** The arguments of the first message that bob hears, and his socket after he was away. */
async function firstMessage(w) {
  const room = w.id('room');
  const [alice, bob] = [await w.member(w.user('alice'), room), await w.member(w.user('bob'), room)];
  const heard = new Promise((resolve) => {
    bob.socket.once('message:new', (...args) => resolve(args));
  });
  await say(alice, room, 'hello');
  const args = await heard;
  await leave(bob);
  await comeBack(bob);
  return { args, socket: bob.socket };
}

test('with it, an event ends with an offset', () =>
  onServer(RECOVERY, async (w) => {
    const { args, socket } = await firstMessage(w);
    assert.equal(args.length, 2);
    assert.equal(args[0].content, 'hello');
    assert.equal(typeof args[1], 'string');
    assert.equal(typeof socket._pid, 'string');
  }));

test('it is off by default: no argument more, no pid, nothing recovered', () =>
  onServer({}, async (w) => {
    const { args, socket } = await firstMessage(w);
    assert.equal(args.length, 1);
    assert.equal(socket._pid, undefined);
    assert.ok(!socket.recovered);
  }));
