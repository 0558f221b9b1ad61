// What your events are answered, those that Roomcast has by itself, and one that nobody has.

import { notTried, says } from '../advice.mjs';
import { covers, heardShapes, shapes } from '../shape.mjs';

const UNKNOWN = 'doctor:no-such-event';
/** What changes nothing that lasts. */
const COMMON = [
  { name: 'join:room', args: ['doctor'] },
  { name: 'typing:start', args: ['doctor'] },
  { name: 'typing:stop', args: ['doctor'] },
  { name: 'presence:get', args: [['doctor']] },
  { name: 'leave:room', args: ['doctor'] },
];

const answer = (reply) => (reply ? `ack(${shapes(reply)})` : 'no ack');

/** One after another, each with what is heard after it. */
async function given(side) {
  const seen = {};
  let line = await side.connect();
  await line?.take();
  for (const [n, { name, args }] of side.events.entries()) {
    if (line?.lost) line = await side.connect();
    const label = `${n + 1}-${name}`;
    if (line) Object.assign(seen, await told(side, line, { label, name, args }));
    else seen[label] = notTried('not connected');
  }
  return seen;
}

/** The answer, and what else comes of it, if anything. */
async function told(side, line, { label, name, args }) {
  line.heard.length = 0;
  const reply = answer(await line.ask(name, args, side.waitMs));
  const heard = await line.take();
  return {
    [label]: reply,
    [`${label}.heard`]: heard.length ? heardShapes(heard) : undefined,
    [`${label}.end`]: line.lost && `closed: ${line.lost}`,
  };
}

export const events = {
  name: 'events',
  listens: true,
  observe: given,
  advise,
};

const MORE = says('Roomcast answers all that Node does, and more: nothing to do.');
const UNDECLARED = says(
  'Roomcast has no such event: declare it, by `[[watch]]` to join a room, by `[[forward]]` to ask a backend.',
);
const OTHER = says('Let frontends take both, or let your backend answer the event, by `[[forward]]`.');

/** One side may have nothing. */
function advise(node = '', roomcast = '') {
  if (roomcast.startsWith('ack({code: "unknown_event"')) return UNDECLARED;
  return covers(node, roomcast) ? MORE : OTHER;
}

/** All at once, since most servers are silent on most of them. */
async function common(side) {
  const line = await side.connect();
  const isGiven = (name) => side.events.some((event) => event.name === name);
  const asked = COMMON.filter(({ name }) => !isGiven(name)).map(async ({ name, args }) => {
    const reply = line && (await line.ask(name, args, side.waitMs));
    return [name, reply ? answer(reply) : notTried(line ? 'no ack' : 'not connected')];
  });
  return Object.fromEntries(await Promise.all(asked));
}

export const commonEvents = {
  name: 'common-events',
  observe: common,
  advise,
};

async function unknown(side) {
  const line = await side.connect();
  if (!line) return { acknowledged: notTried('not connected'), plain: notTried('not connected') };
  await line.take();
  const reply = await line.ask(UNKNOWN, [], side.waitMs);
  await line.take();
  line.socket.emit(UNKNOWN);
  const connection = await line.remains();
  return { acknowledged: answer(reply), plain: `heard ${heardShapes(await line.take())}`, connection };
}

export const unknownEvent = {
  name: 'unknown-event',
  listens: true,
  observe: unknown,
  otherwise: says('The connection ends on one of them only.'),
  advice: {
    acknowledged: () => says('Node is silent where there is no handler; Roomcast answers, so nobody waits.'),
    plain: () => says('Roomcast tells by the event `error` what failed without an ack.'),
  },
};
