// Order under load: one socket's burst, and many sockets at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { API_KEY, Server, mint, request } from './server.mjs';

const LIMIT_MS = 120_000;
const MEMBERS = 100;
const BURST = 500;
const SENDERS = 200;
const EACH = 5;
const ROUNDS = 400;

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

/** Collects a room's messages until the expected number is there. */
class Member {
  constructor(name, room, expected) {
    this.room = room;
    this.got = [];
    this.client = new Client(server.url, {
      dialect: DIALECTS['4.8'],
      transport: ['websocket'],
      token: mint({ sub: name, rooms: ['*'] }),
      label: name,
    });
    this.complete = new Promise((resolve) => {
      this.client.socket.on('message:new', (message) => {
        this.got.push(message);
        if (this.got.length === expected) resolve();
      });
    });
  }

  async join() {
    await this.client.next(CONNECTED);
    const ack = await this.client.ask('join:room', this.room);
    assert.equal(ack.ok, true, JSON.stringify(ack));
  }

  send(content) {
    return new Promise((resolve) => {
      this.client.socket.emit('message:send', { roomId: this.room, content }, resolve);
    });
  }

  get contents() {
    return this.got.map((message) => message.content);
  }

  get seqs() {
    return this.got.map((message) => message.seq);
  }
}

/** A marker behind everything: what a member heard before it is all that it was sent. */
async function nothingMore(members) {
  const [first] = members;
  const last = (await first.send('marker')).message;
  for (const { client } of members) {
    await client.next('message:new', (message) => message.id === last.id, 60_000);
  }
  members.forEach((member) => assert.equal(member.got.at(-1).id, last.id));
}

/** Runs with this many members in a room, each of which expects so many messages. */
async function inRoom(room, count, expected, run) {
  const names = Array.from({ length: count }, (_, n) => `${room}-${n}`);
  const members = names.map((name) => new Member(name, room, expected));
  try {
    await Promise.all(members.map((member) => member.join()));
    await run(members);
  } finally {
    members.forEach((member) => member.client.close());
  }
}

const upTo = (count) => Array.from({ length: count }, (_, n) => n + 1);

test(`a burst of ${BURST} messages of one socket arrives in order at ${MEMBERS} members`, { timeout: LIMIT_MS }, () =>
  inRoom('burst', MEMBERS, BURST, async (members) => {
    const sent = upTo(BURST).map((n) => `burst ${n}`);
    const acks = await Promise.all(sent.map((content) => members[0].send(content)));
    const refused = acks.find((ack) => !ack.ok);
    assert.equal(refused, undefined, JSON.stringify(refused));
    assert.deepEqual(acks.map((ack) => ack.message.seq), upTo(BURST));
    await Promise.all(members.map((member) => member.complete));
    await nothingMore(members);
    for (const member of members) {
      assert.deepEqual(member.contents.slice(0, -1), sent);
      assert.deepEqual(member.seqs, upTo(BURST + 1));
    }
  }));

test(`${SENDERS} sockets that send at once are heard in one order by every member`, { timeout: LIMIT_MS }, () =>
  inRoom('crowd', SENDERS, SENDERS * EACH, async (members) => {
    const acks = await Promise.all(
      members.flatMap((member, who) => upTo(EACH).map((n) => member.send(`${who}/${n}`))),
    );
    const refused = acks.find((ack) => !ack.ok);
    assert.equal(refused, undefined, JSON.stringify(refused));
    await Promise.all(members.map((member) => member.complete));
    await nothingMore(members);
    const [{ contents }] = members;
    for (const member of members) {
      assert.deepEqual(member.seqs, upTo(SENDERS * EACH + 1));
      assert.deepEqual(member.contents, contents);
    }
    members.forEach((_, who) => {
      const own = contents.filter((content) => content.startsWith(`${who}/`));
      assert.deepEqual(own, upTo(EACH).map((n) => `${who}/${n}`));
    });
  }));

test('an ack, an emit to one socket and a broadcast arrive in the order in which they were made', { timeout: LIMIT_MS }, () =>
  inRoom('mixed', 1, 0, async ([member]) => {
    const inventory = await request(server.url, 'PUT', '/api/products/mixed/inventory', { as: API_KEY, body: { newInventory: 7 } });
    assert.equal(inventory.status, 204, inventory.text);
    const { socket } = member.client;
    const log = [];
    socket.on('message:new', ({ content }) => log.push(`broadcast ${content}`));
    socket.on('inventory-update', () => log.push('emit'));
    const ask = (event, argument, note) => new Promise((resolve) => {
      socket.emit(event, argument, (ack) => {
        assert.equal(ack.ok, true, JSON.stringify(ack));
        log.push(note);
        resolve();
      });
    });
    const rounds = upTo(ROUNDS).map((n) => `${n}`);
    // Eight events in flight, four of each kind.
    for (let n = 0; n < rounds.length; n += 4) {
      await Promise.all(rounds.slice(n, n + 4).flatMap((round) => [
        ask('message:send', { roomId: 'mixed', content: round }, `ack ${round}`),
        ask('join-product-room', 'mixed', `joined ${round}`),
      ]));
    }
    const expected = rounds.flatMap((round) => [`broadcast ${round}`, `ack ${round}`, 'emit', `joined ${round}`]);
    assert.deepEqual(log, expected);
  }));
