// nginx in front of two nodes, as examples/cluster/nginx.conf sets it up, and what it has led where.
//
// NGINX=path says where nginx is.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from './observe.mjs';
import { Program, ROOT } from './program.mjs';
import { freePort } from './proxy.mjs';
import { within } from './raw.mjs';

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';
const ANSWER_MS = 10_000;
/** What nginx writes to disk only in passing. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const LOG_FORMAT = `log_format seen escape=json '{"at":$msec,"from":"$remote_addr","uri":"$request_uri",'
  '"status":$status,"nodes":"$upstream_addr"}'`;

/** The file as it is in the repository. */
export const CONFIG = readFileSync(join(ROOT, 'examples', 'cluster', 'nginx.conf'), 'utf8');

/** What it says instead of `ip_hash;` where nothing is to be sticky. */
export const WITHOUT_STICKINESS = [['ip_hash;', 'least_conn;']];

/** Replaces what must be there exactly once. */
function replace(text, [from, to]) {
  assert.equal(text.split(from).length, 2, `examples/cluster/nginx.conf has "${from}" once`);
  return text.replace(from, () => to);
}

/** What no test can leave as it is: where the nodes are, where nginx listens, where it writes. */
const places = (dir, port, [first, second]) => [
  ['server node1:3000', `server ${new URL(first).host}`],
  ['server node2:3000', `server ${new URL(second).host}`],
  ['listen 8080;', `listen 127.0.0.1:${port};`],
  ['http {\n', `http {
    ${LOG_FORMAT};
    access_log ${dir}/log seen;
    ${TEMPORARY.map((of) => `${of}_temp_path ${dir}/${of};`).join('\n    ')}\n`],
];

/** nginx on a port of its own. */
export class Nginx {
  #dir;
  #program;

  /** @param urls of the two nodes; `changes` are pairs of what stands in the file and what shall */
  static async start(urls, changes = []) {
    assert.ok(existsSync(NGINX), `there is no nginx at ${NGINX}; NGINX says where it is`);
    const nginx = new Nginx();
    const [dir, port] = [await mkdtemp(join(tmpdir(), 'roomcast-nginx-')), await freePort()];
    // Where this is root, nginx's workers are not.
    await chmod(dir, 0o755);
    nginx.#dir = dir;
    nginx.url = `http://127.0.0.1:${port}`;
    const text = [...changes, ...places(dir, port, urls)].reduce(replace, CONFIG);
    await writeFile(join(dir, 'nginx.conf'), text);
    const globals = `daemon off; pid ${dir}/pid; error_log stderr;`;
    const command = `exec '${NGINX}' -e stderr -p '${dir}' -c '${dir}/nginx.conf' -g '${globals}'`;
    nginx.#program = new Program(command, { cwd: dir });
    const answers = () => nginx.ask('GET', '/healthz').then(({ status }) => status === 200, () => false);
    await eventually(answers, 'nginx leads to a node').catch(async (error) => {
      const { stderr } = await nginx.#program.stop();
      throw new Error(`${error.message}\n${stderr}`);
    });
    return nginx;
  }

  /** A request from this address, answered or broken: `{status, headers, text, body}`. */
  ask(method, path, { from = '127.0.0.1', headers = {}, body: sent } = {}) {
    const answered = new Promise((resolve, reject) => {
      const options = { method, headers, agent: false, localAddress: from };
      const asked = httpRequest(this.url + path, options, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const type = answer.headers['content-type'] ?? '';
          const body = type.includes('json') ? JSON.parse(text) : undefined;
          resolve({ status: answer.statusCode, headers: answer.headers, type, text, body });
        });
      });
      asked.on('error', reject);
      asked.end(sent);
    });
    return within(ANSWER_MS, answered, `${method} ${path} was not answered`);
  }

  /**
   * Every request that has ended so far: `{at, from, uri, status, nodes}`, with when that was, in
   * seconds, and the addresses of the nodes that were asked, one after the other. A connection that was
   * upgraded ends when it is closed.
   */
  async log() {
    const lines = (await readFile(join(this.#dir, 'log'), 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => {
      const { nodes, ...entry } = JSON.parse(line);
      return { ...entry, nodes: nodes.split(', ') };
    });
  }

  async stop() {
    await this.#program.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

let networks = 0;

/** An address of this machine in a network that no other client is in: `ip_hash` leaves the last byte out. */
export function address() {
  networks += 1;
  return `127.${1 + (networks >> 8)}.${networks & 255}.1`;
}

/** Options of a stock client that calls from this address. */
export const calling = (from) => ({ agent: new Agent({ localAddress: from }) });
