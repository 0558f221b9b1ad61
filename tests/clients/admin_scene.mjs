// Servers with the Admin UI's namespace, and administrators who use it by the stock client.

import assert from 'node:assert/strict';

import { WEBSOCKET } from './away.mjs';
import { CONNECTED, Client, DIALECTS, REFUSED } from './client.mjs';
import { eventually } from './observe.mjs';
import { Program } from './program.mjs';

export const USERNAME = 'root';
export const PASSWORD = 'correct horse';

let hash;
/** Settings that switch the namespace on. */
export async function adminSettings(more = {}) {
  hash ??= new Program(`echo '${PASSWORD}' | roomcast hash-password`, {}).ended();
  const { code, stdout, stderr } = await hash;
  assert.equal(code, 0, stderr);
  return {
    ROOMCAST_ADMIN__ENABLED: 'true',
    ROOMCAST_ADMIN__USERNAME: USERNAME,
    ROOMCAST_ADMIN__PASSWORD: stdout,
    ...more,
  };
}

/** Somebody who wants to look on. */
export class Administrator extends Client {
  #seen = new Map();

  constructor(url, auth = { username: USERNAME, password: PASSWORD }) {
    const how = { dialect: DIALECTS['4.8'], transport: WEBSOCKET, label: 'an administrator' };
    super(`${url}/admin`, { ...how, options: { auth } });
    this.socket.onAny((event, ...args) => this.all(event).push(args));
  }

  /** One who has been let in; ends with the test. */
  static async enter(t, url, auth) {
    const one = new Administrator(url, auth);
    t.after(() => one.close());
    await one.next(CONNECTED);
    return one;
  }

  /** What one is told who is not let in. */
  static async refused(t, url, auth) {
    const one = new Administrator(url, auth);
    t.after(() => one.close());
    const { message, data } = await one.next(REFUSED);
    return { message, data };
  }

  /** The arguments of every event of this name so far. */
  all(event) {
    if (!this.#seen.has(event)) this.#seen.set(event, []);
    return this.#seen.get(event);
  }

  /** The arguments of the first event of this name that fits, told already or to come. */
  sees(event, fits = () => true, withinMs = undefined) {
    const look = () => this.all(event).find((args) => fits(...args));
    return eventually(look, `an administrator sees ${event} ${fits}`, withinMs);
  }

  /** What is told of a socket that was there before, or has come. */
  async shown(id) {
    const among = () => {
      const [first] = this.all('all_sockets').at(-1) ?? [[]];
      const more = this.all('socket_connected').map(([socket]) => socket);
      return [...first, ...more].find((socket) => socket.id === id);
    };
    return eventually(among, `an administrator sees the socket ${id}`);
  }
}

/** A socket with its rooms in an order that is the same everywhere. */
export const roomsOf = ({ rooms }) => [...rooms].sort();

/** What is told of a socket of users, of its move, or of its event. */
export const byId = (id) => (nsp, told) => nsp === '/' && told === id;
export const inRoom = (room, id) => (nsp, told, who) => nsp === '/' && told === room && who === id;
export const named = (event, id) => (nsp, who, [name]) => who === id && name === event;
