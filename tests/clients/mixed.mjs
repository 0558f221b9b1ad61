// A server of Node's socket.io with its Redis adapter and two nodes of Roomcast are one cluster.

import { argumentsOf, atOnce, called, onMixed } from './mixed_scene.mjs';
import assert from 'node:assert/strict';

import { DISCONNECTED, bytes } from './client.mjs';
import { eventually, upTo } from './observe.mjs';
import { assertOk } from './world.mjs';

const words = (calls) => calls.map(([word]) => word);
/** Node drops what is volatile where a socket is not ready that moment. */
const surely = (calls) => words(calls).filter((word) => word !== 'volatile');

const events = {
  "Node's events reach everybody, a room, a user, a socket, or all but some, once": async (scene) => {
    const room = scene.a.id('room');
    const all = await scene.threeIn(room);
    const [alice, bob, carol] = all;
    const heard = all.map((client) => argumentsOf(client, 'said'));
    const { io } = scene.node;
    io.emit('said', 'all');
    io.to(`room:${room}`).emit('said', 'room');
    io.to(`user:${all.users[1].id}`).emit('said', 'user');
    io.to(alice.id).emit('said', 'socket');
    io.to([`room:${room}`, bob.id]).except(alice.id).emit('said', 'but alice');
    io.sockets.sockets.get(carol.id).broadcast.emit('said', 'but carol');
    io.volatile.to(`room:${room}`).emit('said', 'volatile');
    await scene.settle(...all);
    assert.deepEqual([words(heard[0]), words(heard[1]), surely(heard[2])], [
      ['all', 'room', 'socket', 'but carol', 'volatile'],
      ['all', 'room', 'user', 'but alice', 'but carol', 'volatile'],
      ['all', 'room', 'but alice'],
    ]);
  },

  "Roomcast's events reach the clients of all servers, once": async (scene) => {
    const room = scene.a.id('room');
    const all = await scene.threeIn(room);
    const [alice, bob, carol] = all;
    const heard = all.map((client) => argumentsOf(client, 'said'));
    const say = async (world, word, to, more = {}) => {
      const body = { event: 'said', args: [word, { n: [1, null, 'é'] }], to, ...more };
      assert.equal((await world.service('POST', '/api/emit', body)).status, 202);
    };
    await say(scene.a, 'room', { rooms: [`room:${room}`] });
    await say(scene.a, 'two', { rooms: [`room:${room}`], sockets: [carol.id] });
    await say(scene.a, 'carol', { sockets: [carol.id] });
    await say(scene.a, 'but carol', { rooms: [`room:${room}`] }, { except: { sockets: [carol.id] } });
    await say(scene.a, 'volatile', { rooms: [`room:${room}`] }, { volatile: true });
    await scene.settle(alice, bob, carol);
    const both = ['room', 'two', 'but carol', 'volatile'];
    const told = [words(heard[0]), words(heard[1]), surely(heard[2])];
    assert.deepEqual(told, [both, both, ['room', 'two', 'carol']]);
    assert.deepEqual(heard[2][0][1], { n: [1, null, 'é'] });
  },

  'messages, stock and typing of Roomcast reach the clients of Node, once and in order': async (scene) => {
    const room = scene.a.id('room');
    const [alice, bob, carol] = await scene.threeIn(room);
    const product = scene.a.id('product');
    scene.node.io.in(carol.id).socketsJoin(`product-${product}`);
    alice.tell('typing:start', room);
    assert.equal((await carol.next('typing:user')).typing, true);
    for (const n of upTo(50)) assertOk(await alice.ask('message:send', { roomId: room, content: `${n}` }));
    const attachment = Buffer.from([1, 2, 3]);
    assertOk(await bob.ask('message:send', { roomId: room, content: 'file', attachment }));
    const path = `/api/products/${product}/inventory`;
    assert.equal((await scene.b.service('PUT', path, { newInventory: 7 })).status, 204);
    assert.equal(await carol.next('inventory-update'), 7);
    const file = await carol.next('message:new', ({ content }) => content === 'file');
    assert.deepEqual(bytes(file.attachment), attachment);
    await scene.settle(alice, bob, carol);
    for (const client of [alice, bob, carol]) {
      const seqs = client.heard('message:new').map(({ seq }) => seq);
      assert.deepEqual(seqs, upTo(51), client.label);
    }
  },

  'who comes and goes on Roomcast is told to the clients of Node, once': async (scene) => {
    const carol = await scene.onNode('carol');
    const dave = scene.b.user('dave');
    const phone = await scene.b.connect(dave);
    const is = (status) => (change) => change.userId === dave.id && change.status === status;
    await carol.next('presence:changed', is('online'));
    phone.close();
    await carol.next('presence:changed', is('offline'));
    await scene.settle(carol);
    const told = carol.heard('presence:changed', ({ userId }) => userId === dave.id);
    assert.deepEqual(told.map(({ status }) => status), ['online', 'offline']);
  },
};

const byNode = {
  'Node counts all servers, and gathers the acks of all clients': async (scene) => {
    const room = scene.a.id('room');
    const all = await scene.threeIn(room);
    const answer = (n) => (q, ack) => ack({ n, q, file: Buffer.from([n]) });
    all.forEach((client, n) => client.socket.on('question', answer(n)));
    assert.equal(await scene.node.count(), 3);
    const asked = scene.node.io.timeout(4_000).to(`room:${room}`);
    const answers = await atOnce(asked.emitWithAck('question', 'why'), 'emitWithAck');
    answers.sort((one, other) => one.n - other.n);
    const told = answers.map(({ n, q, file }) => [n, q, bytes(file)[0]]);
    assert.deepEqual(told, [0, 1, 2].map((n) => [n, 'why', n]));
    const nobody = scene.node.io.timeout(4_000).to('room:nobody').emitWithAck('question', 1);
    assert.deepEqual(await atOnce(nobody, 'asking nobody'), []);
    const silent = scene.node.io.timeout(300).to(all[0].id).emitWithAck('unanswered');
    await assert.rejects(silent, /timed out/);
  },

  'Node fetches the sockets of Roomcast with ids, rooms, data and handshakes': async (scene) => {
    const room = scene.a.id('room');
    const all = await scene.threeIn(room);
    const { io } = scene.node;
    const found = await atOnce(io.in(`room:${room}`).fetchSockets(), 'fetchSockets');
    assert.deepEqual(found.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
    const alice = found.find(({ id }) => id === all[0].id);
    const rooms = [all[0].id, `room:${room}`, `user:${all.users[0].id}`];
    assert.deepEqual([...alice.rooms].sort(), rooms.sort());
    assert.deepEqual(alice.data, { userId: all.users[0].id, username: all.users[0].name });
    assert.equal(alice.handshake.address, '127.0.0.1');
    assert.equal(JSON.stringify(alice.handshake).includes(all.users[0].token), false);
    assert.ok(Math.abs(alice.handshake.issued - Date.now()) < 60_000);
    const others = await io.in(`room:${room}`).except(all[0].id).fetchSockets();
    assert.equal(others.length, 2);
    alice.emit('hello', 1);
    assert.equal(await all[0].next('hello'), 1);
    if (scene.adapter === 'node') {
      const names = await atOnce(io.of('/').adapter.allRooms(), 'allRooms');
      assert.ok(names.has(`room:${room}`) && names.has(all[1].id));
    }
  },

  'Node asks for what is no room, or as it must not ask clients, and is answered at once': async (scene) => {
    const { io } = scene.node;
    assert.deepEqual(await atOnce(io.in(undefined).fetchSockets(), 'fetchSockets'), []);
    assert.equal((await atOnce(called(io, 'disconnect'), 'an event of that name')).length, 2);
  },

  'Node lets sockets of Roomcast join and leave rooms, and ends them': async (scene) => {
    const all = await scene.three();
    const [alice, bob, carol] = all;
    const heard = all.map((client) => argumentsOf(client, 'news'));
    const { io } = scene.node;
    const room = scene.a.id('sports');
    io.in([alice.id, bob.id]).socketsJoin(room);
    io.to(room).emit('news', 1);
    io.in(room).except(bob.id).socketsLeave(room);
    io.to(room).emit('news', 2);
    await scene.settle(...all);
    assert.deepEqual(heard, [[[1]], [[1], [2]], []]);
    io.in(bob.id).disconnectSockets();
    assert.equal(await bob.next(DISCONNECTED), 'io server disconnect');
    await scene.settle(alice, carol);
    assert.deepEqual([alice.heard(DISCONNECTED), carol.heard(DISCONNECTED)], [[], []]);
  },

  'servers that Node tells something answer, those that know nothing of it, too': async (scene) => {
    const { io } = scene.node;
    const pinged = await atOnce(called(io, 'cluster:ping'), 'cluster:ping');
    const names = pinged.map(({ server }) => server);
    assert.equal(new Set(names).size, 2);
    assert.deepEqual(await atOnce(called(io, 'add', 2, 3), 'add'), [5, 5]);
    const unknown = await atOnce(called(io, 'unheard-of', 1), 'an unknown event');
    assert.deepEqual(unknown.map((answer) => answer ?? null), [null, null]);
    const pongs = [];
    io.on('cluster:pong', (pong) => pongs.push(pong.server));
    io.serverSideEmit('cluster:ping-back');
    await eventually(() => pongs.length >= 2, 'two pongs');
    assert.deepEqual(pongs.sort(), names.sort());
    io.removeAllListeners('cluster:pong');
    const all = await scene.three();
    io.serverSideEmit('hello', 'world');
    for (const client of all) assert.equal(await client.next('greeted'), 'world');
  },
};

const byRoomcast = {
  'Roomcast fetches the sockets of Node, and lets them join, leave and end': async (scene) => {
    const [alice, bob, carol] = await scene.three();
    const backend = await scene.backend();
    const fetching = backend.ask('servers:fetch', { rooms: [alice.id, bob.id, carol.id] });
    const fetched = await atOnce(fetching, 'fetch');
    assert.deepEqual([fetched.complete, fetched.servers], [true, 3]);
    const ids = fetched.found.map(({ id }) => id).sort();
    assert.deepEqual(ids, [alice.id, bob.id, carol.id].sort());
    const found = fetched.found.find(({ id }) => id === carol.id);
    assert.deepEqual([found.data, found.rooms], [{ name: 'carol' }, [carol.id]]);
    assert.deepEqual(found.handshake.auth, { name: 'carol' });
    const room = scene.a.id('sports');
    const heard = [alice, bob, carol].map((client) => argumentsOf(client, 'news'));
    const emit = (n) => ({ event: 'news', args: [n], to: { rooms: [room] } });
    const say = (n) => scene.a.service('POST', '/api/emit', emit(n));
    assertOk(await backend.ask('servers:join', { rooms: [bob.id, carol.id], moves: [room] }));
    await say(1);
    assertOk(await backend.ask('servers:leave', { rooms: [room], except: [bob.id], moves: [room] }));
    await eventually(async () => {
      const inside = await backend.ask('servers:fetch', { rooms: [room] });
      return inside.found.length === 1;
    }, 'one is left');
    await say(2);
    await scene.settle(alice, bob, carol);
    assert.deepEqual(heard, [[], [[1], [2]], [[1]]]);
    assertOk(await backend.ask('servers:disconnect', { rooms: [carol.id] }));
    assert.equal(await carol.next(DISCONNECTED), 'io server disconnect');
  },

  'Roomcast gathers acks of all clients, and answers of all servers': async (scene) => {
    const all = await scene.three();
    const ids = all.map(({ id }) => id);
    const backend = await scene.backend();
    all.forEach((client, n) => client.socket.on('question', (q, ack) => ack([n, q])));
    const ask = { rooms: ids, event: 'question', args: ['why'], within_ms: 4_000 };
    const asked = await atOnce(backend.ask('servers:ask', ask), 'ask');
    assert.deepEqual([asked.found.sort(), asked.complete], [[0, 1, 2].map((n) => [n, 'why']), true]);
    const silent = { rooms: ids, event: 'unanswered', within_ms: 200 };
    assert.deepEqual((await backend.ask('servers:ask', silent)).complete, false);
    const { io } = scene.node;
    const told = [];
    io.on('subtract', (a, b, ack) => ack(a - b));
    io.on('told', (...args) => told.push(args));
    const answers = await atOnce(backend.ask('servers:call', { event: 'subtract', args: [5, 3] }), 'call');
    assert.deepEqual([answers.found.sort(), answers.complete], [[2, null], true]);
    assertOk(await backend.ask('servers:tell', { event: 'told', args: [1, 'two'] }));
    await eventually(() => told.length > 0, 'Node is told');
    assert.deepEqual(told, [[1, 'two']]);
  },
};

onMixed('node', { ...events, ...byNode, ...byRoomcast });
onMixed('node-sharded', { ...events, ...byNode, ...byRoomcast });
