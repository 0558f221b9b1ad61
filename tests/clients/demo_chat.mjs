// The demo's chat page, as people use it: each in a browser of their own.

import assert from 'node:assert/strict';

import {
  button, chat, device, input, log, person, post, room, says, send, state, stored, texts, waiting,
} from './chat_page.mjs';
import {
  DESKTOP, LEFT_EARLY, NARROW, PHONE, assertAccessible, assertFits, assertQuiet, atOnce, inChromium,
  member, serveDev, shot, write,
} from './demo_app.mjs';
import { png } from './picture.mjs';
import { folder } from './program.mjs';

const LIMIT_MS = 90_000;
/** So that a crowd of messages is not taken for a flood. */
const NO_RATES = { ROOMCAST_LIMITS__EVENTS_PER_SECOND: '0', ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND: '0' };

const { open } = inChromium();
const test = atOnce(2, 'the chat');

test('alice and bob chat and see each other come, type and go', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const alice = await chat(open, t, url, 'alice');
  await says(alice, 'No messages yet. Write the first one.');
  const bob = await chat(open, t, url, 'bob');
  await person(alice, 'Bob', 'online');
  await person(bob, 'Alice', 'online');

  await input(alice).pressSequentially('hel');
  await says(bob, 'Alice is typing…');
  await post(alice, 'hello <b>bob</b>');
  await stored(bob, 'hello <b>bob</b>');
  await bob.getByText('Alice is typing…').waitFor({ state: 'detached' });
  await send(bob, 'hello alice');
  for (const page of [alice, bob]) {
    await stored(page, 'hello alice');
    assert.deepEqual(await texts(page), ['hello <b>bob</b>', 'hello alice']);
    assert.equal(await waiting(page).count(), 0);
  }

  await bob.getByLabel('Your status').selectOption('busy');
  await person(alice, 'Bob', 'busy');
  await bob.getByRole('radio', { name: 'Carol' }).check();
  await bob.waitForURL(/as=carol/);
  await person(alice, 'Bob', 'offline');
  await person(alice, 'Carol', 'online');
  assertQuiet(alice);
  assertQuiet(bob, LEFT_EARLY);
});

test('what is unread is counted by room, and who has read is told', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [alice, bob] = [await chat(open, t, url, 'alice'), await chat(open, t, url, 'bob')];
  await room(alice, 'kitchen').click();
  await post(alice, 'soup is ready');
  await send(alice, 'and bread');
  await room(bob, 'kitchen 2 unread messages').waitFor();
  assert.equal(await alice.getByText('Read by Bob').count(), 0);

  await room(bob, 'kitchen').click();
  await says(bob, 'and bread');
  await says(alice, 'Read by Bob');
  await bob.getByText('unread message').waitFor({ state: 'detached' });

  await room(bob, 'lobby').click();
  await send(alice, 'and cake');
  await room(bob, 'kitchen 1 unread message').waitFor();
  await bob.reload();
  await room(bob, 'kitchen 1 unread message').waitFor();
  assertQuiet([alice, bob]);
});

test('authors edit and delete what they wrote, with the keyboard alone', { timeout: LIMIT_MS }, async (t) => {
  const { url } = await serveDev(t, await folder(t));
  const [alice, bob] = [await chat(open, t, url, 'alice'), await chat(open, t, url, 'bob')];
  for (const text of ['a tpyo', 'a mistake']) {
    await send(alice, text);
    await says(bob, text);
  }
  assert.equal(await button(bob, /^(Edit|Delete) /).count(), 0);

  await button(alice, 'Edit “a tpyo”').focus();
  await alice.keyboard.press('Enter');
  await says(alice, 'Save');
  assert.equal(await input(alice).inputValue(), 'a tpyo');
  await alice.keyboard.press('Escape');
  await says(alice, 'Send');
  assert.deepEqual(await texts(bob), ['a tpyo', 'a mistake']);

  await button(alice, 'Edit “a tpyo”').press('Enter');
  await input(alice).fill('a typo');
  await alice.keyboard.press('Enter');
  await says(bob, 'a typo');
  await says(bob, 'edited');
  await button(alice, 'Delete “a mistake”').press('Enter');
  await says(bob, 'Message deleted');
  await bob.reload();
  await says(bob, 'Message deleted');
  assert.deepEqual(await texts(bob), ['a typo', 'Message deleted']);
  assertQuiet([alice, bob]);
});

test('pictures go along as bytes and are there in the history', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t), NO_RATES);
  const [alice, bob] = [await chat(open, t, url, 'alice'), await chat(open, t, url, 'bob')];
  const file = { name: 'bay.png', mimeType: 'image/png', buffer: png(160, 90) };
  await alice.locator('input[type=file]').setInputFiles(file);
  await alice.getByRole('img', { name: 'bay.png' }).waitFor();
  await send(alice, 'the bay');
  const image = (page) => log(page).getByRole('img', { name: 'bay.png' });
  for (const page of [alice, bob]) await assertDrawn(image(page), 160, 90);

  // Behind so many messages it is on the second page, which comes over HTTP.
  const client = await member(t, url, tokens.carol);
  for (let n = 1; n <= 60; n += 1) await write(client, `message ${n}`);
  await bob.reload();
  await says(bob, 'message 60');
  assert.equal(await bob.getByRole('img', { name: 'bay.png' }).count(), 0);
  // Without scrolling there, which would load them, too.
  await button(bob, 'Show earlier messages').dispatchEvent('click');
  await assertDrawn(image(bob), 160, 90);

  const text = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') };
  await alice.locator('input[type=file]').setInputFiles(text);
  await says(alice, 'notes.txt is not a picture that this browser can show');
  assertQuiet([alice, bob]);
});

test('history comes page by page as one scrolls up', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t), NO_RATES);
  const client = await member(t, url, tokens.alice);
  const all = Array.from({ length: 170 }, (_, n) => `message ${n + 1}`);
  for (const text of all) await write(client, text);
  const bob = await chat(open, t, url, 'bob');
  const area = bob.getByRole('region', { name: 'Messages in lobby' });
  await says(bob, 'message 170');
  assert.deepEqual(await texts(bob), all.slice(-50));
  for (const first of [71, 21, 1]) {
    const top = await log(bob).locator('p').first().textContent();
    await area.evaluate((element) => element.scrollTo(0, 0));
    await says(bob, `message ${first}`);
    // What was at the top is where it was, or nearly: nothing jumps.
    const jumped = await area.evaluate((element, text) => {
      const before = [...element.querySelectorAll('p')].find((p) => p.textContent === text);
      return before.getBoundingClientRect().top - element.getBoundingClientRect().top;
    }, top);
    assert.ok(Math.abs(jumped) < 120, `${top} is ${jumped} px from the top`);
  }
  assert.deepEqual(await texts(bob), all);
  await button(bob, 'Show earlier messages').waitFor({ state: 'detached' });

  // Who reads old messages is not torn away by new ones.
  await area.evaluate((element) => element.scrollTo(0, 0));
  await write(client, 'news');
  await button(bob, '1 new message').click();
  await bob.getByText('news').waitFor();
  await bob.waitForFunction(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector('[role=region][tabindex]');
    return scrollHeight - scrollTop - clientHeight < 2;
  });
  assertQuiet(bob);
});

test('the chat is accessible, fits and looks as in the docs', { timeout: LIMIT_MS }, async (t) => {
  const { url, tokens } = await serveDev(t, await folder(t));
  const [alice, carol] = [await member(t, url, tokens.alice), await member(t, url, tokens.carol)];
  const page = await chat(open, t, url, 'bob');
  await post(page, 'Good morning!');
  const typo = await write(alice, 'Mornign, Bob. The crates are in bay 4.');
  await alice.ask('message:edit', { ...typo, content: 'Morning, Bob. The crates are in bay 4.' });
  const file = { name: 'bay.png', mimeType: 'image/png', buffer: png(240, 135) };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('img', { name: 'bay.png' }).waitFor();
  await post(page, 'This one?');
  const wrong = await write(carol, 'Wrong room');
  await carol.ask('message:delete', wrong);
  await write(carol, 'Yes, and the two beside it. The driver wants a signature for each, so come by ten.');
  await post(page, 'Thanks, both of you.');
  const last = await page.evaluate(() => document.querySelectorAll('[data-seq]').length);
  assert.equal(last, 6);
  const { messages } = await alice.ask('messages:since', { roomId: 'lobby', after: 0 });
  await alice.ask('chat:read', { roomId: 'lobby', messageId: messages.at(-1).id });
  await says(page, 'Read by Alice');
  await member(t, url, tokens.carol, 'kitchen').then((client) => write(client, 'Soup is ready', 'kitchen'));
  await room(page, 'kitchen 1 unread message').waitFor();
  carol.tell('typing:start', 'lobby');
  await says(page, 'Carol is typing…');

  await shot(page, 'chat');
  await assertAccessible(page);
  await shot(page, 'chat-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(PHONE);
  await shot(page, 'chat-phone');
  for (const size of [PHONE, NARROW]) {
    await page.setViewportSize(size);
    await assertFits(page);
    await assertAccessible(page);
  }

  await page.setViewportSize(DESKTOP);
  await button(page, 'Second device').click();
  await state(device(page, 2), 'Connected');
  await button(device(page, 2), 'Cut connection').click();
  await state(device(page, 2), 'Offline');
  await page.emulateMedia({ colorScheme: 'light' });
  await shot(page, 'chat-two-devices');
  await assertAccessible(page);
  await page.setViewportSize(NARROW);
  await assertFits(page);
  assertQuiet(page, LEFT_EARLY);
});

/** That the picture is drawn, and as large as it is. */
async function assertDrawn(image, width, height) {
  await image.waitFor();
  const size = await image.evaluate(async (element) => {
    await element.decode();
    return [element.naturalWidth, element.naturalHeight];
  });
  assert.deepEqual(size, [width, height]);
}
