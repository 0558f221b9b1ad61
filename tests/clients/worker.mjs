// A worker that knows nothing of Roomcast: it publishes on Redis, adds to streams, and listens.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { elapse } from './observe.mjs';
import { within } from './raw.mjs';

const PROGRAM = process.env.REDIS_CLI ?? 'redis-cli';
const WAIT_MS = 10_000;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A word as redis-cli reads it, whatever bytes are in it. */
function quoted(word) {
  const hex = (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return `"${Buffer.from(word).toString('latin1').replace(/[^ -~]|["\\]/g, hex)}"`;
}

const text = (message) =>
  typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message);

export class Worker {
  #children = [];
  #commands;
  #waiting = [];
  #isClosed = false;

  /** One that is gone after the test. */
  static at(t, redis) {
    const worker = new Worker(redis);
    t.after(() => worker.close());
    return worker;
  }

  constructor(redis) {
    const { hostname, port } = new URL(redis.url);
    this.address = ['-h', hostname, '-p', port, '--raw'];
  }

  #spawn(args) {
    const child = spawn(PROGRAM, [...this.address, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.stdin.on('error', () => {});
    return child;
  }

  /** Sends a command whose answer is one line, behind those before it. */
  async #send(...words) {
    if (this.#isClosed) throw new Error('the worker has gone');
    if (!this.#commands) {
      this.#commands = this.#spawn([]);
      createInterface({ input: this.#commands.stdout }).on('line', (line) => this.#waiting.shift()?.(line));
    }
    const answer = new Promise((resolve) => this.#waiting.push(resolve));
    this.#commands.stdin.write(`${words.map(quoted).join(' ')}\n`);
    return within(WAIT_MS, answer, `${words[0]} was not answered`);
  }

  /** Publishes a message; resolves with how many heard it. Bytes and text go as they are. */
  async publish(channel, message) {
    const answer = await this.#send('PUBLISH', channel, text(message));
    if (!/^\d+$/.test(answer)) throw new Error(`PUBLISH: ${answer}`);
    return Number(answer);
  }

  /** Adds an entry to a stream; resolves with its id. */
  async add(stream, fields) {
    const words = Object.entries(fields).flatMap(([name, value]) => [name, text(value)]);
    const answer = await this.#send('XADD', stream, '*', ...words);
    if (!/^\d+-\d+$/.test(answer)) throw new Error(`XADD: ${answer}`);
    return answer;
  }

  /** Publishes a message that says what it is in one field of an entry. */
  addMessage(stream, message) {
    return this.add(stream, { data: message });
  }

  /** Any command; resolves with the lines of its answer. */
  async run(...words) {
    const { stdout } = await promisify(execFile)(PROGRAM, [...this.address, ...words]);
    return stdout.trimEnd().split('\n');
  }

  /** What is published on a channel from now on, as JSON: grows as it comes. */
  async listen(channel) {
    const heard = [];
    const lines = [];
    const child = this.#spawn(['SUBSCRIBE', channel]);
    const begun = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        // Each message is three lines, as is the answer: what it is, the channel, the message.
        if (lines.push(line) < 3) return;
        const [kind, , message] = lines.splice(0);
        if (kind === 'message') heard.push(JSON.parse(message));
        else resolve();
      });
    });
    await within(WAIT_MS, begun, `SUBSCRIBE ${channel} was not answered`);
    return heard;
  }

  async close() {
    this.#isClosed = true;
    this.#waiting.splice(0).forEach((resolve) => resolve('the worker has gone'));
    const gone = this.#children.filter((child) => running.has(child)).map((child) => once(child, 'exit'));
    this.#children.forEach((child) => child.kill('SIGKILL'));
    await Promise.all(gone);
  }
}

/** Says numbered things one after another, until it is stopped. */
export class Talk {
  /** How many have been said. */
  count = 0;
  #isOver = false;

  /** @param say is given the number, from 1 */
  constructor(say, paceMs) {
    this.#over = this.#run(say, paceMs);
    // Whoever stops it hears of it.
    this.#over.catch(() => {});
  }

  #over;

  async #run(say, paceMs) {
    while (!this.#isOver) {
      await say(this.count + 1);
      this.count += 1;
      await elapse(paceMs);
    }
  }

  /** Resolves with how many were said. */
  async stop() {
    this.#isOver = true;
    await this.#over;
    return this.count;
  }
}
