// What one scenario sees: its own users and rooms on a shared server, and its own connections.

import assert from 'node:assert/strict';

import { CONNECTED, Client } from './client.mjs';
import { API_KEY, mint, request, unique } from './server.mjs';

/** Server settings by name; a scenario says which one it needs. */
export const PROFILES = {
  standard: {},
  guests: { ROOMCAST_AUTH__GUESTS: 'true' },
  members: { ROOMCAST_ROOMS__ACCESS: 'members' },
  // Positions lapse fast.
  brief: { ROOMCAST_TRACKING__TTL_MS: '600' },
};

/** A sentence of the contract and how to see that it is true. */
export const scenario = (name, run, profile = 'standard') => ({ name, run, profile });

export class World {
  #clients = [];
  #marks = 0;
  #nodes;
  #tag = unique();
  #turn = 0;

  /** @param server one, or the nodes of a cluster, which take connections and requests in turn */
  constructor(server, dialect, transport) {
    this.#nodes = [server].flat();
    this.dialect = dialect;
    this.transport = transport;
  }

  /** Where the next connection or request goes. */
  get url() {
    const node = this.#nodes[this.#turn % this.#nodes.length];
    this.#turn += 1;
    return node.url;
  }

  /** An id that no other scenario uses. */
  id(name) {
    return `${name}-${this.#tag}`;
  }

  /** A whole number that no other scenario uses, for ids that are numbers. */
  number() {
    return Number.parseInt(unique(), 16);
  }

  /** A user with a token; by default it opens every room. */
  user(name, claims = {}, options = {}) {
    const id = this.id(name);
    const token = mint({ sub: id, name: `${name} the user`, rooms: ['*'], ...claims }, options);
    return { id, name: `${name} the user`, token };
  }

  /** Starts a connection; a user, a token, or nothing. */
  dial(who, options = {}) {
    const client = new Client(this.url, {
      dialect: this.dialect,
      transport: this.transport,
      token: typeof who === 'string' ? who : who?.token,
      label: who?.id ?? 'a guest',
      options,
    });
    this.#clients.push(client);
    return client;
  }

  /** A connected device of the user. */
  async connect(who, options) {
    const client = this.dial(who, options);
    await client.next(CONNECTED);
    return client;
  }

  /** A connected device of the user that has joined the room. */
  async member(who, room) {
    const client = await this.connect(who);
    const ack = await client.ask('join:room', room);
    assert.equal(ack.ok, true, `${who.id} could not join: ${JSON.stringify(ack)}`);
    return client;
  }

  /** A request as this user, or as nobody. */
  http(method, path, { as, ...rest } = {}) {
    return request(this.url, method, path, { as: as?.token ?? as, ...rest });
  }

  /** A request as a backend. */
  service(method, path, body) {
    return request(this.url, method, path, { as: API_KEY, body });
  }

  /** Resolves once the client has heard everything that was sent to it before this call, by any node. */
  async settle(...clients) {
    for (const client of clients) {
      for (const node of this.#nodes) {
        const mark = `${this.#tag}/${++this.#marks}`;
        const body = { event: 'mark', args: [mark], to: { sockets: [client.id] } };
        const sent = await request(node.url, 'POST', '/api/emit', { as: API_KEY, body });
        assert.equal(sent.status, 202, sent.text);
        await client.next('mark', (text) => text === mark);
      }
    }
  }

  close() {
    this.#clients.forEach((client) => client.close());
  }
}

/** A failure in the contract's shape; `code` where the contract names one. */
export function assertRefused(ack, code) {
  assert.equal(ack?.ok, false, `expected a failure, got ${JSON.stringify(ack)}`);
  assert.equal(typeof ack.error, 'string');
  assert.equal(typeof ack.code, 'string');
  if (code) assert.equal(ack.code, code);
}

/** A success in the contract's shape. */
export function assertOk(ack) {
  assert.equal(ack?.ok, true, `expected a success, got ${JSON.stringify(ack)}`);
  return ack;
}

/** A problem+json response with this status. */
export function assertProblem(response, status, code) {
  assert.equal(response.status, status, response.text);
  assert.match(response.type, /^application\/problem\+json/);
  assert.equal(typeof response.body.code, 'string');
  if (code) assert.equal(response.body.code, code);
}
