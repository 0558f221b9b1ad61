// The Redis and the PostgreSQL that nodes share, which a test may end, start again and hold.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPTS = fileURLToPath(new URL('../services/', import.meta.url));
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;

const running = new Set();
// The scripts end with our end of their input, but what is held cannot end.
process.on('exit', () => running.forEach((service) => service.resume()));

/** The processes that this one has started. */
function children(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** One service: where it listens stays the same from start to start. */
class Service {
  #script;
  #arguments;
  #env;
  #child;
  #held = [];

  constructor(script, args, env = {}) {
    this.#script = script;
    this.#arguments = args;
    this.#env = env;
  }

  /** Resolves once it accepts connections. */
  async start() {
    const known = this.url ? [...this.#arguments, new URL(this.url).port] : this.#arguments;
    // Its own group: what a terminal sends to the test must not end it before the test says so.
    const child = spawn('bash', [join(SCRIPTS, this.#script), ...known], {
      detached: true,
      env: { ...process.env, ...this.#env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdin.on('error', () => {});
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    const line = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${this.#script} ${why}\n${errors}`));
      const timer = setTimeout(() => fail('printed nothing in time'), START_LIMIT_MS);
      child.once('close', (code, signal) => fail(`ended (${signal ?? code})`));
      createInterface({ input: child.stdout }).once('line', (text) => {
        clearTimeout(timer);
        resolve(text);
      });
    });
    const [url, pid] = line.split(' ');
    this.url = url;
    this.pid = Number(pid);
    running.add(this);
    child.once('exit', () => running.delete(this));
  }

  /** Ends it at once, with no time to tidy up. */
  async stop() {
    const child = this.#child;
    this.resume();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    const gone = once(child, 'exit');
    child.stdin.end();
    await gone;
    clearTimeout(timer);
  }

  /** Holds it with all that it has started: connections stay open, nothing is answered. */
  pause() {
    // The parent first: it starts nothing new then.
    this.#signal(this.pid, 'SIGSTOP');
    this.#held = [this.pid, ...children(this.pid)];
    this.#held.slice(1).forEach((pid) => this.#signal(pid, 'SIGSTOP'));
  }

  resume() {
    this.#held.splice(0).reverse().forEach((pid) => this.#signal(pid, 'SIGCONT'));
  }

  #signal(pid, name) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/** A Redis that keeps nothing: started again, it is empty. */
export class Redis extends Service {
  /** @param config lines of its configuration, in which PORT stands for its port */
  constructor(config = []) {
    super('redis.sh', [], { REDIS_CONFIG: config.join('\n') });
  }

  static async start(config) {
    const redis = new Redis(config);
    await redis.start();
    return redis;
  }

  get port() {
    return Number(new URL(this.url).port);
  }
}

/** What is killed here are processes, which lose nothing that the system has. */
const POSTGRES_OPTIONS = '-c fsync=off -c full_page_writes=off';

/** A PostgreSQL with a folder of its own: started again, it has what was committed. */
export class Postgres extends Service {
  #folder;

  constructor(folder) {
    super('postgres.sh', [folder], { POSTGRES_OPTIONS });
    this.#folder = folder;
  }

  static async start() {
    const postgres = new Postgres(await mkdtemp(join(tmpdir(), 'roomcast-postgres-')));
    await postgres.start();
    return postgres;
  }

  /** Runs SQL in its database "postgres", outside a transaction. */
  async run(sql) {
    const psql = process.env.POSTGRES_BIN ? join(process.env.POSTGRES_BIN, 'psql') : 'psql';
    const { stdout } = await promisify(execFile)(psql, ['--no-psqlrc', '-qAt', '-c', sql, this.url]);
    return stdout.trim();
  }

  /** A new database; its address. */
  async database(name) {
    await this.run(`CREATE DATABASE "${name}"`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Ends it and removes its data. */
  async remove() {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
