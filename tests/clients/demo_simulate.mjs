// `roomcast simulate drivers`: what it does to the demo's delivery page, and to the one who runs it.

import assert from 'node:assert/strict';

import { BRIEF, delivery, driver } from './delivery_page.mjs';
import { assertQuiet, atOnce, inChromium, serveDev } from './demo_app.mjs';
import { Program, folder, start } from './program.mjs';

const LIMIT_MS = 90_000;
const SECRET = 'a secret of some length';

const { open } = inChromium();
const test = atOnce(3, 'simulated drivers');

for (const [how, env] of [
  ['signs in as the server’s sample drivers', {}],
  ['signs its own tokens where it knows the secret', { JWT_SECRET: SECRET }],
]) {
  test(`roomcast simulate drivers ${how}`, { timeout: LIMIT_MS }, async (t) => {
    const { url } = await serveDev(t, await folder(t), { ...BRIEF, ...env });
    const page = await delivery(open, t, url, 'alice', { drivers: 6 });
    const simulate = start(t, 'exec roomcast simulate drivers --drivers 6 --rate 4 --offline-after 3s', {
      cwd: await folder(t), env: { PORT: new URL(url).port, ...env },
    });
    const [, ids] = await simulate.says(/^driving to http:\S+: (.*)$/);
    assert.equal(ids, 'dan, erin, femi, gus, driver-5, driver-6');
    for (const name of ['Dan', 'Gus', 'Driver 5', 'Driver 6']) await driver(page, name, 'live');
    // It is the last one who falls silent.
    await simulate.says(/^driver-6 falls silent$/);
    await driver(page, 'Driver 6', 'offline');
    await driver(page, 'Dan', 'live');
    const { code, signal, stderr } = await simulate.stop();
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    await driver(page, 'Dan', 'offline');
    assertQuiet(page);
  });
}

test('simulated phones outlast a server, and its secret', { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const first = await serveDev(t, dir);
  const { port: PORT } = new URL(first.url);
  const options = { cwd: await folder(t), env: { PORT } };
  const simulate = start(t, 'exec roomcast simulate drivers --rate 4', options);
  await simulate.says(/^watch them at /);
  await first.program.stop();
  await simulate.says(/^the server does not take reports/);
  // Another secret: the phones have to sign in anew.
  const { url } = await serveDev(t, dir, { PORT });
  await simulate.says(/^the server takes reports again$/);
  const page = await delivery(open, t, url, 'alice');
  await driver(page, 'Dan', 'live');
});

test('a simulation that nobody answers says so in one line', { timeout: LIMIT_MS }, async (t) => {
  const cwd = await folder(t);
  const options = { cwd: await folder(t), env: { PORT: '0', JWT_SECRET: SECRET } };
  const server = start(t, 'exec roomcast serve', options);
  const PORT = new URL(await server.address()).port;
  for (const [env, told] of [
    [{ PORT: '1' }, /^roomcast: the server cannot be asked .*\n$/],
    [{ PORT }, /^roomcast: the server gives no tokens away .*--dev.*\n$/],
    [{ PORT, JWT_SECRET: 'another secret of some length' }, /^roomcast: .* refused: 401 .*\n$/],
  ]) {
    const { code, stderr } = await new Program('roomcast simulate drivers', { cwd, env }).ended();
    assert.equal(code, 1, stderr);
    assert.match(stderr, told);
  }
});
