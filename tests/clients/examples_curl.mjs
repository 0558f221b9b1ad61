// The script with curl, unchanged: each of its examples succeeds, and together they are all routes.

import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { CONNECTED, Client, DIALECTS } from './client.mjs';
import { eventually } from './observe.mjs';
import { Program, ROOT, folder, start } from './program.mjs';
import { freePort } from './proxy.mjs';
import { API_KEY, Server, mint, request } from './server.mjs';

const LIMIT_MS = 40_000;
const SCRIPT = join(ROOT, 'examples', 'curl', 'roomcast.sh');

const script = await readFile(SCRIPT, 'utf8');
const commands = script.slice(script.indexOf('\n## '));
/** The commands in the script's comments, one at least above each function. */
const EXAMPLES = commands.match(/^# {3}[a-z_]+( .*)?$/gm).map((line) => line.slice(4));
const STREAMS = EXAMPLES.filter((example) => example.startsWith('stream_'));
const FILES = ['js', 'min.js', 'esm.min.js', 'msgpack.min.js']
  .flatMap((end) => [`socket.io.${end}`, `socket.io.${end}.map`]);
/** What is no part of the description. */
const PAGES = new Set(['GET /', ...FILES.map((file) => `GET /socket.io/${file}`)]);

const vapid = createECDH('prime256v1');
vapid.generateKeys();
const browsers = createECDH('prime256v1');
browsers.generateKeys();

let server;
before(async () => {
  server = await Server.start({
    ROOMCAST_SERVER__DEMO: 'true',
    ROOMCAST_PAYMENTS__DELAY_MS: '600000',
    // A backend that is never there, so that there is a push that was given up.
    ROOMCAST_PUSH__WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/push`,
    ROOMCAST_PUSH__WEBHOOK_SECRET: 'a secret of some length',
    ROOMCAST_PUSH__ATTEMPTS: '1',
    ROOMCAST_PUSH__VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'),
    ROOMCAST_PUSH__VAPID_SUBJECT: 'mailto:ops@example.com',
  });
});
after(async () => {
  await server?.stop();
  assert.deepEqual(server?.panics, []);
});

/** Who runs the examples; curl says on stderr what it asked and how that was answered. */
class Shell {
  /** Every request: `{method, path, status}`. */
  asked = [];

  static async open(t) {
    const shell = new Shell();
    shell.t = t;
    shell.cwd = await folder(t);
    const said = String.raw`write-out = "%{stderr}%{method} %{url_effective} %{http_code}\n"`;
    await writeFile(join(shell.cwd, '.curlrc'), `noproxy = "*"\n${said}\n`);
    shell.env = { ROOMCAST_URL: server.url, API_KEY, CURL_HOME: shell.cwd };
    return shell;
  }

  /** Starts an example, as alice or as the vendor that it names. */
  start(example) {
    const isVendor = / v1\b/.test(example);
    const claims = isVendor ? { sub: 'v1', roles: ['vendor'] } : { sub: 'alice', rooms: ['*'] };
    const env = { ...this.env, TOKEN: mint(claims) };
    return start(this.t, `exec '${SCRIPT}' ${example}`, { cwd: this.cwd, env });
  }

  /** Waits for the end, which must be a success, after one request; the answer's body. */
  async finish(program) {
    const { code, stdout, stderr } = await program.ended();
    assert.equal(code, 0, `${program.text}: ${stderr}\n${stdout}`);
    const [, method, url, status, ...more] = /^(\w+) (\S+) (\d+)\n$/.exec(stderr) ?? [];
    assert.ok(status && more.length === 0, `${program.text}: ${stderr}`);
    this.asked.push({ method, path: new URL(url).pathname, status });
    return stdout;
  }

  run(example) {
    return this.finish(this.start(example));
  }
}

/** What the server says of itself: the pattern and the good statuses of each operation. */
async function described() {
  const { body } = await request(server.url, 'GET', '/api/openapi.json');
  return Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      pattern: new RegExp(`^${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '[^/]+')}$`),
      statuses: Object.keys(responses).filter((status) => status.startsWith('2')),
    })));
}

/** The vendor and a user with a device, for whom there are events to stream. */
async function people(t, shell) {
  const token = mint({ sub: 'alice', rooms: ['*'] });
  const alice = new Client(server.url, { dialect: DIALECTS['4.8'], token });
  t.after(() => alice.close());
  await alice.next(CONNECTED);
  const body = { userId: 'alice', title: 'seen already' };
  const seen = await request(server.url, 'POST', '/api/notifications', { as: API_KEY, body });
  const keys = { p256dh: browsers.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') };
  Object.assign(shell.env, {
    SOCKET_ID: alice.id,
    LAST_EVENT_ID: seen.body.id,
    SUBSCRIPTION: JSON.stringify({ endpoint: 'https://fcm.googleapis.com/x', keys }),
  });
  return alice;
}

/** What an example needs of an earlier one. */
const NEEDS = {
  settle_payment: ({ answers }) => ({ PAYMENT_ID: JSON.parse(answers.pay).paymentId }),
  retry_push: async ({ shell }) => {
    const given = async () => JSON.parse(await shell.run('dead_letters')).deadLetters[0]?.id;
    return { DEAD_LETTER_ID: await eventually(given, 'a push is given up') };
  },
};

test('every example with curl succeeds, and they are every route', { timeout: LIMIT_MS }, async (t) => {
  const shell = await Shell.open(t);
  const alice = await people(t, shell);
  const streams = STREAMS.map((example) => shell.start(example));
  for (const stream of streams) await stream.says(/^event: connected$/);

  const answers = {};
  for (const example of EXAMPLES.filter((one) => !STREAMS.includes(one))) {
    const [name] = example.split(' ');
    Object.assign(shell.env, await NEEDS[name]?.({ answers, shell }));
    answers[name] = await shell.run(example);
  }
  for (const file of FILES) await shell.run(`client_file ${file}`);
  // Some of the examples end the sessions, and with them the streams.
  for (const stream of streams) await shell.finish(stream);

  assert.equal(await alice.next('payment-status'), true);
  const [orders, notifications, missed, queue] = streams.map((stream) => stream.lines.join('\n'));
  assert.equal(orders.match(/^event: new-order$/gm).length, 3, orders);
  for (const stream of [notifications, missed]) assert.match(stream, /^data: .*Your order is on its way/m);
  assert.doesNotMatch(missed, /seen already/);
  assert.match(queue, /^data: .*"waiting":3/m);
  assert.match(answers.list_messages, /^\{"messages":\[/);

  const operations = await described();
  const used = new Set();
  for (const { method, path, status } of shell.asked) {
    const call = `${method} ${path}`;
    if (PAGES.has(call)) {
      assert.equal(status, '200', call);
      used.add(call);
      continue;
    }
    // What is named fits before what may be anything.
    const operation = operations.find(({ pattern }) => pattern.test(call));
    assert.ok(operation, `${call} is not described`);
    assert.ok(operation.statuses.includes(status), `${call}: ${status}`);
    used.add(operation.name);
  }
  const all = [...PAGES, ...operations.map(({ name }) => name)];
  assert.deepEqual([...used].sort(), all.sort());
});

test('what the server refuses makes a command fail, and says why', { timeout: LIMIT_MS }, async (t) => {
  const shell = await Shell.open(t);
  const { code, stdout } = await shell.start("set_inventory 42 '{}'").ended();
  assert.notEqual(code, 0);
  assert.equal(JSON.parse(stdout).code, 'invalid_payload');
});

test('without arguments the script lists its functions', { timeout: LIMIT_MS }, async (t) => {
  const { code, stderr } = await new Program(SCRIPT, { cwd: await folder(t) }).ended();
  assert.equal(code, 2);
  for (const example of EXAMPLES) assert.ok(stderr.includes(`\n  ${example}\n`), example);
});
