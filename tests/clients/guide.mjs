// What the guide and the README say of links, keys, limits, codes and Redis is so.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { ROOT, folder } from './program.mjs';
import { output } from './readme_run.mjs';
import { anchors, blocks, keysOf, links, names, table } from './readme_text.mjs';
import { Redis } from './services.mjs';

const LIMIT_MS = 60_000;
/** What clients and Node's servers have of such names. */
const OTHERS = ['socket.io', 'socket.recovered', 'socket.broadcast'];
const ask = promisify(execFile);

/** The sections, and each key with its default, as the server prints them. */
async function defaults(t) {
  const lines = (await output('roomcast default-config', { cwd: await folder(t) })).split('\n');
  const keys = new Map();
  const sections = [];
  for (const line of lines) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    if (section) sections.push(section);
    const key = /^(\w+) = (.*)$/.exec(line);
    if (key && sections.length) keys.set(`${sections.at(-1)}.${key[1]}`, key[2]);
  }
  return { sections, keys };
}

for (const { from, target, path, anchor } of links) {
  test(`the link in ${from} to ${target} leads somewhere`, () => {
    assert.ok(existsSync(join(ROOT, path)), path);
    if (anchor) assert.ok(anchors(path).includes(anchor), `${path} has no heading #${anchor}`);
  });
}

for (const { from, used, given } of names) {
  test(`${from} says where each of its links leads, and of no other`, () => assert.deepEqual(given, used));
}

test('the pages lead to the same places in rustdoc as on GitHub', () => {
  const source = readFileSync(join(ROOT, 'src/guide.rs'), 'utf8');
  const declared = source.matchAll(/"\[(\w+)\]: super::([\w#-]+)"/g);
  const inRustdoc = new Map([...declared].map(([, name, to]) => [name, to]));
  for (const { from } of names.filter(({ from }) => from !== 'README.md')) {
    const text = readFileSync(join(ROOT, from), 'utf8');
    for (const [, name, to] of text.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)) {
      assert.equal(inRustdoc.get(name), to.replace('.md', ''), `[${name}] in ${from}`);
    }
  }
});

test('every key that a page names exists', { timeout: LIMIT_MS }, async (t) => {
  const { sections, keys } = await defaults(t);
  const named = keysOf(sections);
  assert.ok(named.size > 20, [...named].join());
  assert.deepEqual([...named].filter((key) => !keys.has(key) && !OTHERS.includes(key)), []);
});

test('the limits have the defaults and the codes that the guide says', { timeout: LIMIT_MS }, async (t) => {
  const { keys } = await defaults(t);
  const units = { '': 1, KiB: 1_024, MiB: 1_048_576, s: 1_000 };
  const amount = (text) => {
    if (text === 'none') return 0;
    const [, digits, unit] = /^([\d,]*\d) ?(\w*)$/.exec(text);
    return Number(digits.replaceAll(',', '')) * units[unit];
  };
  const declared = readFileSync(join(ROOT, 'src/error.rs'), 'utf8').matchAll(/= "([a-z_]+)", \d{3};/g);
  const codes = new Set([...declared].map(([, code]) => code));
  const rows = table('security', 'Limits');
  assert.ok(rows.length > 10);
  for (const [named, value, against] of rows) {
    const found = [...named.matchAll(/`([a-z]+\.[a-z_]+)`/g)].map(([, key]) => Number(keys.get(key)));
    const said = value.split(/, (?=\d|none)/).map(amount);
    assert.deepEqual(said, found, named);
    for (const [, code] of against.matchAll(/`([a-z_]+)`/g)) assert.ok(codes.has(code), code);
  }
});

test('a worker with the rights of the guide cannot speak as a node', { timeout: LIMIT_MS }, async (t) => {
  const redis = await Redis.start();
  t.after(() => redis.stop());
  const rule = blocks('text').find((text) => text.startsWith('worker on '));
  const { hostname, port } = new URL(redis.url);
  const cli = async (...words) => {
    const { stdout } = await ask('redis-cli', ['-h', hostname, '-p', port, '--no-auth-warning', ...words]);
    return stdout.trim();
  };
  assert.equal(await cli('ACL', 'SETUSER', ...rule.split(' ')), 'OK');
  const worker = (...words) => cli('--user', 'worker', '--pass', 'a-long-password', ...words);
  for (const channel of ['inventory-updates', 'orders', 'notifications:alice', 'broadcast:room:lobby']) {
    assert.equal(await worker('PUBLISH', channel, '{}'), '0', channel);
  }
  for (const text of ['PUBLISH roomcast:nodes {}', 'PUBLISH presence:updates {}', 'KEYS *']) {
    assert.match(await worker(...text.split(' ')), /NOPERM/, text);
  }
});
