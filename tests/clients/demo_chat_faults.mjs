// The demo's chat page while the network, one device or the server goes away and comes back.

import assert from 'node:assert/strict';

import {
  button, chat, device, person, post, room, says, send, state, stored, texts, waiting,
} from './chat_page.mjs';
import { AWAY, LEFT_EARLY, assertQuiet, atOnce, inChromium, member, serveDev, write } from './demo_app.mjs';
import { folder } from './program.mjs';

const LIMIT_MS = 90_000;

const { open } = inChromium();
const test = atOnce(3, 'the chat and faults');

const KINDS = [
  ['in a new session', {}, 'A new session, which has caught up'],
  ['in the session that it had', { ROOMCAST_RECOVERY__ENABLED: 'true' }, 'The same session as before'],
];

for (const [name, env, origin] of KINDS) {
  test(`a browser that goes offline misses nothing, ${name}`, { timeout: LIMIT_MS }, async (t) => {
    const { url, tokens } = await serveDev(t, await folder(t), env);
    const [alice, bob] = [await chat(open, t, url, 'alice'), await chat(open, t, url, 'bob')];
    const carol = await member(t, url, tokens.carol);
    await post(bob, 'before');
    await stored(alice, 'before');
    const first = await write(carol, 'Carols first');
    await says(bob, 'Carols first');

    await bob.context().setOffline(true);
    await state(device(bob), 'Offline');
    await send(bob, 'meanwhile, by bob');
    await says(bob, 'Waiting to be stored…');
    await post(alice, 'one');
    await post(alice, 'two');
    assert.equal((await carol.ask('message:edit', { ...first, content: 'Carols edited' })).ok, true);
    assert.deepEqual(await texts(bob), ['before', 'Carols first']);

    await bob.context().setOffline(false);
    await state(device(bob), 'Recovered, 2 missed');
    assert.equal(await device(bob).locator('[data-phase]').getAttribute('title'), origin);
    for (const page of [bob, alice]) {
      await stored(page, 'meanwhile, by bob');
      await stored(page, 'Carols edited');
      assert.deepEqual(await texts(page), ['before', 'Carols edited', 'one', 'two', 'meanwhile, by bob']);
    }
    assert.equal(await waiting(bob).count(), 0);
    assertQuiet(alice);
    assertQuiet(bob, AWAY);
  });
}

test('one user has two devices side by side, of which one is cut off', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [alice, bob] = [await chat(open, t, url, 'alice'), await chat(open, t, url, 'bob')];
  await button(alice, 'Second device').click();
  const [one, two] = [device(alice, 1), device(alice, 2)];
  await state(two, 'Connected');
  await send(one, 'from the first');
  await says(two, 'from the first');
  await button(two, 'Cut connection').click();
  await state(two, 'Offline');
  await person(bob, 'Alice', 'online');
  await post(one, 'while the other is away');
  await send(two, 'written offline');
  await says(two, 'Waiting to be stored…');
  await button(two, 'Reconnect').click();
  await state(two, 'Recovered, 1 missed');
  for (const where of [one, two, device(bob)]) {
    await stored(where, 'written offline');
    assert.deepEqual(await texts(where), ['from the first', 'while the other is away', 'written offline']);
  }

  // What is read on one device is read on the other.
  for (const where of [one, two]) await room(where, 'kitchen').click();
  await send(bob, 'news for both');
  for (const where of [one, two]) await room(where, 'lobby 1 unread message').waitFor();
  await room(one, 'lobby').click();
  await two.getByText('unread message').waitFor({ state: 'detached' });
  assertQuiet(alice, LEFT_EARLY);
  assertQuiet(bob);
});

test('a server that is away and comes back costs nothing', { timeout: LIMIT_MS }, async (t) => {
  const dir = await folder(t);
  const first = await serveDev(t, dir);
  const [alice, bob] = [await chat(open, t, first.url, 'alice'), await chat(open, t, first.url, 'bob')];
  await post(alice, 'before');
  await stored(bob, 'before');
  assertQuiet([alice, bob]);

  await first.program.stop();
  for (const page of [alice, bob]) await state(device(page), 'Recovering…');
  await send(bob, 'meanwhile');
  await says(bob, 'Waiting to be stored…');
  // With another secret, since it made one up: the tokens of before are good no more.
  const PORT = new URL(first.url).port;
  const second = await serveDev(t, dir, { PORT });
  for (const page of [alice, bob]) {
    await state(device(page), /^Recovered/);
    await stored(page, 'meanwhile');
    assert.deepEqual(await texts(page), ['before', 'meanwhile']);
  }

  // Of a server with another store nothing of before is shown, though its messages have the same numbers.
  await second.program.stop();
  for (const page of [alice, bob]) await state(device(page), 'Recovering…');
  const third = await serveDev(t, await folder(t), { PORT });
  const carol = await member(t, third.url, third.tokens.carol);
  await write(carol, 'a new beginning');
  for (const page of [alice, bob]) {
    await stored(page, 'a new beginning');
    await state(device(page), /^Recovered/);
    await page.waitForFunction(() => document.querySelectorAll('[data-seq]').length === 1);
  }
  assertQuiet([alice, bob], new RegExp(`${AWAY.source}|40[013]`));
});
