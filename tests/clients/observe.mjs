// What a test sees of a server from outside: its metrics, its memory, its history.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

import { mint, request } from './server.mjs';

const LOOK_EVERY_MS = 25;
const MEASURE_EVERY_MS = 100;
const PAGE = 100;

export const MIB = 2 ** 20;

/** Lets time pass, for what depends on nothing but time. */
export const elapse = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks again and again until something true is seen, and returns it. */
export async function eventually(look, what, withinMs = 10_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) assert.fail(`not within ${withinMs} ms: ${what}`);
    await elapse(LOOK_EVERY_MS);
  }
}

/** The sum of a metric's samples that carry all of these labels. */
export async function metric(server, name, labels = {}) {
  const { status, text } = await request(server.url, 'GET', '/metrics');
  assert.equal(status, 200, text);
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** All samples of a metric, as they stand. */
export async function samples(server, name) {
  const { text } = await request(server.url, 'GET', '/metrics');
  return text.split('\n').filter((line) => line.startsWith(name));
}

/** Resolves once a metric has this value. */
export async function settles(server, name, value, withinMs) {
  let last;
  const look = async () => (last = await metric(server, name)) === value;
  await eventually(look, `${name} is ${value}`, withinMs).catch((error) => {
    throw new Error(`${error.message}; it is ${last}`);
  });
}

/** The server's resident memory, in bytes. */
export function resident(server) {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024;
}

/** How many descriptors the server has open. */
export const descriptors = (server) => readdirSync(`/proc/${server.pid}/fd`).length;

export const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

/** Measures resident memory until it is asked for the most that it has seen. */
export class Memory {
  constructor(server) {
    this.before = resident(server);
    this.most = this.before;
    this.timer = setInterval(() => {
      if (server.isRunning) this.most = Math.max(this.most, resident(server));
    }, MEASURE_EVERY_MS);
    this.timer.unref();
  }

  /** By how much it has grown at most. */
  growth() {
    clearInterval(this.timer);
    return this.most - this.before;
  }
}

/** Everything that a room holds, page by page. */
export async function history(server, room) {
  const as = mint({ sub: 'reader', rooms: ['*'] });
  const messages = [];
  for (let more = true; more; ) {
    const after = messages.at(-1)?.seq ?? 0;
    const path = `/api/rooms/${room}/messages?after=${after}&limit=${PAGE}`;
    const { status, body, text } = await request(server.url, 'GET', path, { as });
    assert.equal(status, 200, text);
    assert.equal(body.verdict, 'complete');
    messages.push(...body.messages);
    more = body.hasMore;
  }
  return messages;
}

export const upTo = (count) => Array.from({ length: count }, (_, n) => n + 1);

/** Every message once and in the order of `seq`; says what is wrong in few words. */
export function assertComplete(seqs, count, who) {
  const once = new Set(seqs);
  const lost = upTo(count).filter((seq) => !once.has(seq));
  const disorder = seqs.filter((seq, n) => n > 0 && seq < seqs[n - 1]).length;
  const found = {
    lost: lost.length,
    twice: seqs.length - once.size,
    disorder,
    first: lost.slice(0, 5),
    tooMany: Math.max(0, once.size - count),
  };
  assert.deepEqual(found, { lost: 0, twice: 0, disorder: 0, first: [], tooMany: 0 }, who);
}
