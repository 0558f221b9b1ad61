// The doctor, unchanged: what it says of servers that differ, that are alike, and that are not there.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';

import {
  asAppsDo, asNobodyDoes, differences, doctor, examined, install, isDifferent, listen, msgpack, node,
  roomcast, token,
} from './doctor_scene.mjs';
import { Program } from './program.mjs';
import { Proxy, freePort } from './proxy.mjs';

const LIMIT_MS = 60_000;
const APP = 'https://shop.example';
const AT_ONCE = 6;
const specs = [];
const spec = (name, run) => specs.push({ name, run });

/** What differs between any Node server and Roomcast, whatever the settings. */
const ALWAYS = [
  'versions.without-slash',
  'connecting.socket-id',
  'unknown-event.acknowledged',
  'unknown-event.plain',
  'payloads.above-websocket',
  'garbage.not-joined',
];

spec('a Node app and Roomcast with the defaults: each line says what is same and what differs', async (t) => {
  const events = ['join:room:"r1"', 'echo:1,{"$bytes":4}', 'greet', 'kick'];
  const args = ['--origin', APP, ...events.flatMap((event) => ['--event', event])];
  const { code, report, line } = await examined(t, [await node(t), await roomcast(t)], args);
  assert.equal(code, 1);
  assert.deepEqual(differences(report), [
    ...ALWAYS,
    'cors.own-websocket', 'cors.foreign-websocket',
    'connecting.without-auth', 'connecting.nonsense-token',
    'events.1-join:room', 'events.2-echo', 'events.3-greet', 'events.3-greet.heard', 'events.4-kick',
    'events.4-kick.end',
  ].sort());
  assert.equal(report.differences, differences(report).length);
  assert.deepEqual([report.failed, report.accepted], [0, 0]);

  const same = (what) => [line(what).verdict, line(what).node];
  assert.deepEqual(same('handshake.ping-interval-ms'), ['same', 25_000]);
  assert.deepEqual(same('handshake.max-payload-bytes'), ['same', 1_000_000]);
  assert.deepEqual(same('transports.upgrade'), ['same', 'works']);
  assert.deepEqual(same('versions.engine-io-3'), ['same', 'refused: 400, code 5']);
  assert.deepEqual(same('parser.msgpack'), ['same', 'not understood']);
  assert.deepEqual(same('connecting.with-auth'), ['same', 'connected']);
  assert.deepEqual(same('connecting.unknown-namespace'), ['same', 'refused: "Invalid namespace"']);
  assert.deepEqual(same('connecting.first-events'), ['same', 'socket-id(string)']);
  assert.deepEqual(same('acks.order'), ['same', 'as sent']);
  assert.deepEqual(same('payloads.above-polling'), ['same', 'closed']);
  assert.deepEqual(same('recovery.recovered'), ['same', 'no']);

  const both = (what) => [line(what).node, line(what).roomcast];
  assert.deepEqual(both('connecting.nonsense-token'), [
    'refused: "Invalid token", data {status: number}',
    'refused: "Invalid token", data {code: "token_malformed"}',
  ]);
  assert.match(line('events.1-join:room').means, /all that Node does, and more/);
  assert.equal(line('events.2-echo').node, 'ack(number, binary)');
  assert.match(line('events.2-echo').roomcast, /^ack\(\{code: "unknown_event"/);
  const heard = line('events.3-greet.heard');
  assert.deepEqual([heard.verdict, heard.node], ['only Node', 'greeting({text: string})']);
  assert.equal(line('events.4-kick.end').node, 'closed: io server disconnect');
  assert.equal(line('common-events.presence:get').verdict, 'not tried');
});

/** What a Node server may have set, and by which keys Roomcast does the same. */
const OTHER = {
  options: {
    pingInterval: 9_000, pingTimeout: 7_000, maxHttpBufferSize: 50_000, allowEIO3: true,
    cors: { origin: APP, credentials: true }, connectionStateRecovery: {},
    perMessageDeflate: true, cookie: true, serveClient: false,
  },
  settings: {
    ROOMCAST_SOCKET__PING_INTERVAL_MS: '9000',
    ROOMCAST_SOCKET__PING_TIMEOUT_MS: '7000',
    ROOMCAST_LIMITS__PAYLOAD_BYTES: '50000',
    ROOMCAST_SOCKET__EIO3: 'true',
    ROOMCAST_SERVER__ALLOWED_ORIGINS: APP,
    ROOMCAST_RECOVERY__ENABLED: 'true',
  },
};
const FILES = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.msgpack.min.js'];
/** For what differs besides there is no key. */
const WITHOUT_KEY = [
  'handshake.cookie', 'transports.permessage-deflate', 'versions.no-version', 'cors.foreign-websocket',
  'connecting.without-auth', 'connecting.nonsense-token', 'common-events.join:room',
  ...FILES.map((file) => `files.${file}`),
];

spec('each key that it names is one of the configuration, and makes the difference go away', async (t) => {
  const url = await node(t, OTHER.options);
  const args = ['--origin', APP];
  const before = await examined(t, [url, await roomcast(t)], args);
  const named = before.report.lines.filter(({ key, check }) => key && check !== 'connecting');
  const variables = new Set(named.map(({ variable }) => variable));
  assert.deepEqual([...variables].sort(), Object.keys(OTHER.settings).sort());
  for (const { key, variable, value } of named) {
    if (key !== 'server.allowed_origins') assert.equal(String(value), OTHER.settings[variable], key);
  }
  const after = await examined(t, [url, await roomcast(t, OTHER.settings)], args);
  assert.deepEqual(differences(after.report), [...ALWAYS, ...WITHOUT_KEY].sort());
  assert.equal(after.line('recovery.recovered').node, 'yes');
  assert.equal(after.line('versions.engine-io-3').node, 'accepted');
  assert.equal(after.line('cors.own-preflight').node, 'allowed, with credentials');
  for (const { means, check, what } of [...before.report.lines, ...after.report.lines].filter(isDifferent)) {
    assert.match(means, /^\S.*\.$/, `${check}.${what} says what it means`);
  }
});

spec('a Node server that lets everybody in, with the msgpack parser and WebSocket alone', async (t) => {
  const options = { parser: msgpack, transports: ['websocket'], cors: { origin: '*' } };
  const url = await node(t, options, asNobodyDoes);
  const checks = ['transports', 'parser', 'cors', 'connecting', 'binary', 'garbage', 'recovery'];
  const args = ['--checks', checks.join()];
  const { code, line } = await examined(t, [url, await roomcast(t)], args);
  assert.equal(code, 1);
  const json = line('parser.json');
  assert.deepEqual([json.node, json.roomcast], ['not understood', 'understood']);
  assert.deepEqual([json.key, json.value], ['socket.parser', 'msgpack']);
  assert.equal(line('transports.polling').verdict, 'differs');
  assert.equal(line('transports.websocket').verdict, 'same');
  const { node: anybody, key, value } = line('connecting.without-auth');
  assert.deepEqual([anybody, key, value], ['connected', 'auth.guests', true]);
  assert.equal(line('connecting.nonsense-token').node, 'connected');
  assert.equal(line('cors.foreign-origin').node, 'allowed, without credentials');
  assert.deepEqual([line('binary.websocket').verdict, line('binary.polling').verdict], ['same', 'not tried']);
  assert.equal(line('garbage.unreadable').verdict, 'same');
});

spec('two that are alike are the same, and the exit code says so', async (t) => {
  const [one, other] = [await roomcast(t), await roomcast(t)];
  const args = ['--event', 'join:room:"r1"', '--event', 'message:send:{"roomId":"r1","content":"hello"}'];
  const pairs = [examined(t, [one, other], args), examined(t, [await node(t), await node(t)])];
  const [roomcasts, nodes] = await Promise.all(pairs);
  for (const { code, report } of [roomcasts, nodes]) {
    assert.deepEqual([code, differences(report), report.failed], [0, [], 0]);
  }
  assert.match(roomcasts.line('events.2-message:send.heard').node, /^message:new\(\{/);
});

spec('what is accepted does not count: of a whole check, or of one line', async (t) => {
  const servers = [await node(t), await roomcast(t)];
  const args = ['--checks', 'unknown-event,connecting', '--accept', 'unknown-event,connecting.without-auth'];
  const some = await examined(t, servers, args);
  assert.deepEqual([some.code, some.report.accepted, some.report.differences], [1, 3, 2]);
  const all = await examined(t, servers, [...args.slice(0, -1), 'unknown-event,connecting']);
  assert.deepEqual([all.code, all.report.differences], [0, 0]);
});

spec('people get a table without colours where it is no terminal, and no secrets', async (t) => {
  const secret = 'a-very-secret-text';
  const leak = (io) =>
    io.use(({ handshake }, next) => next(new Error(`no entry with ${handshake.auth.token}`)));
  const servers = [await node(t, {}, leak), await roomcast(t)];
  const args = ['--node-server', servers[0], '--roomcast', servers[1], '--checks', 'handshake,connecting'];
  const { code, stdout, stderr } = await doctor(t, [...args, '--token', secret]);
  assert.equal(code, 1);
  assert.match(stdout, /^ {2}same +ping-interval-ms +25000$/m);
  assert.match(stdout, /^ {2}differs +with-auth +Node: +refused: "no entry with \*\*\*"\n/m);
  assert.match(stdout, /^ +Roomcast: refused: "Invalid token", data \{code: "token_malformed"\}\n/m);
  assert.match(stdout, /^8 same, 3 different, 2 not tried$/m);
  assert.ok(!/\x1b/.test(stdout) && !`${stdout}${stderr}`.includes(secret), stdout);
});

spec('on a terminal it has colours', async (t) => {
  const cwd = await install(t);
  const url = await roomcast(t);
  const own = 'env -u CI -u NO_COLOR -u NODE_DISABLE_COLORS -u FORCE_COLOR TERM=xterm';
  const pty = `${own} python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'`;
  const text = `${pty} node examples/doctor --node-server ${url} --roomcast ${url} --checks handshake`;
  const { code, stdout, stderr } = await new Program(text, { cwd }).ended();
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /\x1b\[32msame +\x1b\[0mpath/);
});

/** Who does not answer is not waited for at length. */
const SOON = ['--limit-ms', '3000'];

/** What stands in place of a server, and what is said of it. */
const NO_SERVERS = {
  'nobody listens': {
    open: async () => `http://127.0.0.1:${await freePort()}`,
    says: /cannot be reached: connect ECONNREFUSED/,
  },
  'another server listens': {
    open: (t) => listen(t, createServer((_, response) => response.end('hello'))),
    says: /is no Socket\.IO server: it answered 200 without a content type under \/socket\.io\//,
  },
  'a server listens and never answers': {
    open: (t) => listen(t, createServer(() => {})),
    says: /cannot be reached: .* was not answered within 3000 ms/,
  },
  'a server is under another path': {
    open: (t) => node(t, { path: '/ws' }),
    says: /is no Socket\.IO server: it answered 404/,
  },
};

for (const [what, { open, says }] of Object.entries(NO_SERVERS)) {
  spec(`where ${what}, it could not run, on whichever side`, async (t) => {
    const [other, none] = [await roomcast(t), await open(t)];
    const runs = [[none, other, 'the Node server'], [other, none, 'Roomcast']];
    await Promise.all(runs.map(async ([one, two, who]) => {
      const { code, stdout, stderr } = await doctor(t, ['--node-server', one, '--roomcast', two, ...SOON]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
      assert.ok(stderr.startsWith(`doctor: ${who} at ${none} `), stderr);
    }));
  });
}

spec('where Node is under another path, a proxy is what leads clients to Roomcast', async (t) => {
  const args = ['--path', '/ws/', '--roomcast-path', '/socket.io', '--checks', 'handshake'];
  const { code, report, line } = await examined(t, [await node(t, { path: '/ws' }), await roomcast(t)], args);
  assert.deepEqual([code, differences(report)], [1, ['handshake.path']]);
  assert.deepEqual([line('handshake.path').node, line('handshake.path').roomcast], ['/ws/', '/socket.io/']);
  assert.match(line('handshake.path').means, /let your proxy map/);
});

spec('a server that falls silent on the way ends it', async (t) => {
  let line;
  const url = await node(t, {}, (io) => {
    asAppsDo(io);
    io.on('connection', (socket) => socket.on('echo', () => line.hold()));
  });
  line = await Proxy.open(url);
  const args = ['--node-server', line.url, '--roomcast', await roomcast(t), '--event', 'echo'];
  const env = { AUTH: JSON.stringify({ token }) };
  const { code, stderr } = await doctor(t, [...args, ...SOON, '--checks', 'events,binary'], env);
  line.close(); // So that the server loses whom it could not reach.
  assert.equal(code, 2);
  assert.match(stderr, /^doctor: the Node server at \S+ cannot be reached: .* not answered within 3000 ms$/m);
});

spec('it says how it is used, and which checks there are', async (t) => {
  const help = await doctor(t, ['--help']);
  assert.deepEqual([help.code, help.stderr], [0, '']);
  assert.match(help.stdout, /^usage: node examples\/doctor /);
  const list = await doctor(t, ['--list']);
  assert.deepEqual([list.code, list.stdout.split('\n').at(0)], [0, 'handshake']);
});

spec('mistakes are told with the usage', async (t) => {
  const cwd = await install(t);
  const servers = '--node-server http://localhost:1 --roomcast http://localhost:2';
  const mistakes = {
    '': /^doctor: --node-server is missing$/m,
    '--node-server http://localhost:1': /^doctor: --roomcast is missing$/m,
    '--node-server localhost --roomcast x': /wants an http\(s\) address/,
    '--node-server http://u:p@h --roomcast x': /takes no user and no password/,
    [`${servers} --checks nonsense`]: /there is no check nonsense; there are handshake, /,
    [`${servers} --auth nonsense`]: /--auth wants a JSON object/,
    [`${servers} --wait-ms soon`]: /--wait-ms wants 1 to 99999/,
    [`${servers} --origin shop.example`]: /--origin wants scheme:\/\/host/,
    [`${servers} --nonsense`]: /nonsense/,
  };
  await Promise.all(Object.entries(mistakes).map(async ([args, says]) => {
    const { code, stderr } = await new Program(`node examples/doctor ${args}`, { cwd }).ended();
    assert.equal(code, 2, args);
    assert.match(stderr, says);
    assert.match(stderr, /^usage: node examples\/doctor /m);
  }));
});

describe('the doctor', { concurrency: AT_ONCE }, () => {
  for (const { name, run } of specs) test(name, { timeout: LIMIT_MS }, run);
});
