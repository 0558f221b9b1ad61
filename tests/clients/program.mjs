// A command as a person types it into a shell, from its first line of output to its end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');
/** The server that the other tests use. */
export const BINARY = process.env.ROOMCAST_BIN ?? join(TARGET, 'debug', 'roomcast');
const WAIT_MS = 20_000;
const STOP_LIMIT_MS = 35_000;
const LISTENING = /^listening on (http:\/\/\S+)$/;

/** What would configure a server by accident. */
const CONFIGURES =
  /^(ROOMCAST_.*|PORT|JWT_SECRET|API_KEYS|ALLOWED_ORIGINS|CLIENT_URL|DATABASE_URL|REDIS_URL|LOG_LEVEL)$/;

/** This process's environment without a configuration, with `roomcast` on the PATH. */
function environment(more) {
  const own = Object.entries(process.env).filter(([name]) => !CONFIGURES.test(name));
  const PATH = `${dirname(BINARY)}:${process.env.PATH}`;
  return { ...Object.fromEntries(own), PATH, RUST_BACKTRACE: '0', ...more };
}

/** An empty folder that is gone after the test. */
export async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'roomcast-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const running = new Set();
process.on('exit', () => running.forEach((program) => program.kill()));

export class Program {
  /** Every line of standard output so far. */
  lines = [];
  #errors = '';
  #waiting = new Set();
  #child;
  #ended;

  /** Runs the text in bash; what it starts is a process group of its own. */
  constructor(text, { cwd, env = {} }) {
    this.text = text;
    this.#child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', text], {
      cwd,
      env: environment(env),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#heard(line));
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors += text;
    });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this);
      this.#waiting.forEach((waiter) => waiter.fail(`ended (${signal ?? code})`));
      return { code, signal, stdout: this.lines.join('\n'), stderr: this.#errors };
    });
  }

  #heard(line) {
    this.lines.push(line);
    this.#waiting.forEach((waiter) => waiter.look(line));
  }

  /** The match of the first line of standard output that fits, printed already or to come. */
  says(pattern, withinMs = WAIT_MS) {
    for (const line of this.lines) if (pattern.test(line)) return pattern.exec(line);
    return new Promise((resolve, reject) => {
      const settle = (how, what) => {
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        how(what);
      };
      const fail = (why) =>
        settle(reject, new Error(`\`${this.text}\` ${why} without ${pattern}:\n${this.#tail()}`));
      const timer = setTimeout(() => fail(`went on for ${withinMs} ms`), withinMs);
      const look = (line) => pattern.test(line) && settle(resolve, pattern.exec(line));
      const waiter = { fail, look };
      this.#waiting.add(waiter);
    });
  }

  /** The address that a server prints once it accepts. */
  async address(withinMs) {
    return (await this.says(LISTENING, withinMs))[1];
  }

  #tail() {
    return [...this.lines, this.#errors].join('\n').slice(-2_000);
  }

  /** How it ended: `{code, signal, stdout, stderr}`. */
  async ended(withinMs = WAIT_MS) {
    const timer = setTimeout(() => this.kill(), withinMs);
    const end = await this.#ended;
    clearTimeout(timer);
    return end;
  }

  /** Sends SIGTERM to all that it started, and resolves once all of that is gone. */
  async stop() {
    const timer = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    this.#signal('SIGTERM');
    const end = await this.#ended;
    clearTimeout(timer);
    return end;
  }

  /** Ends all that it started without a warning. */
  kill() {
    this.#signal('SIGKILL');
  }

  #signal(name) {
    if (!running.has(this)) return;
    try {
      process.kill(-this.#child.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/** Starts a command that is stopped after the test. */
export function start(t, text, options) {
  const program = new Program(text, options);
  t.after(() => program.stop());
  return program;
}
