// Binary, what is too large, what cannot be read, and the order of acks.

import { notTried, says } from '../advice.mjs';
import { BURST_EVENTS, MAX_TRIED_BYTES } from '../limits.mjs';
import { PARSERS } from '../side.mjs';

const UNKNOWN = 'doctor:no-such-event';
/** A message that no parser of Socket.IO reads. */
const UNREADABLE = { json: '9{', msgpack: Buffer.from([0xc1]) };
/** An event for a namespace that the client has not joined. */
const STRAY = { type: 2, nsp: '/doctor-unknown', data: [UNKNOWN] };
const NOT_JOINED = {
  json: `2${STRAY.nsp},${JSON.stringify(STRAY.data)}`,
  msgpack: new PARSERS.msgpack.Encoder().encode(STRAY)[0],
};
/** Roomcast has it, and a Node server may. */
const HARMLESS = { name: 'presence:get', args: [['doctor']] };
/** An event frame adds so much at most to its argument. */
const FRAME_BYTES = 200;
const OVER = { polling: ['polling'], websocket: ['websocket'] };

/** What each transport makes of it. */
async function over(side, run) {
  const seen = {};
  for (const [name, transports] of Object.entries(OVER)) {
    const line = await side.connect({ transports });
    seen[name] = line ? await run(line) : notTried('not connected');
  }
  return seen;
}

export const binary = {
  name: 'binary',
  observe: (side) =>
    over(side, (line) => {
      line.socket.emit(UNKNOWN, Buffer.alloc(1_000, 1), { inside: [Buffer.from([0xff])] });
      return line.remains();
    }),
  otherwise: says('Events with binary arguments end the connection on one of them only.'),
};

/** Which of the goodbyes a client hears first is up to the network. */
const briefly = (text) => text.replace(/^closed: .*/, 'closed');

async function payload(side) {
  const probe = side.dial();
  await probe.outcome;
  const { maxPayload } = probe.handshake ?? {};
  const tooMuch = maxPayload > MAX_TRIED_BYTES && `the limit is ${maxPayload} bytes`;
  const why = maxPayload ? tooMuch : 'no limit is named';
  const send = (bytes) => async (line) => {
    if (why) return notTried(why);
    line.socket.emit(UNKNOWN, 'x'.repeat(bytes));
    return briefly(await line.remains());
  };
  const label = (size, seen) => Object.entries(seen).map(([name, value]) => [`${size}-${name}`, value]);
  return Object.fromEntries([
    ...label('below', await over(side, send(maxPayload - FRAME_BYTES))),
    ...label('above', await over(side, send(maxPayload + 1))),
  ]);
}

export const payloads = {
  name: 'payloads',
  observe: payload,
  otherwise: says('Each is tried with the limit that it names; compare handshake.max-payload-bytes.'),
  advice: {
    'above-websocket': () =>
      says('By WebSocket, Node disconnects who sends too much; with Roomcast only that event fails.'),
  },
};

async function unreadable(side) {
  return {
    unreadable: await after(side, UNREADABLE[side.parser]),
    'not-joined': await after(side, NOT_JOINED[side.parser]),
  };
}

/** What becomes of a connection on which this message is sent. */
async function after(side, message) {
  const line = await side.connect({ transports: ['websocket'] });
  if (!line) return notTried('not connected');
  line.socket.io.engine.write(message);
  return line.remains();
}

export const garbage = {
  name: 'garbage',
  observe: unreadable,
  otherwise: says('Stock clients send no such packets; a client of your own may.'),
};

/** The first event that is acknowledged, many times. */
async function burst(side) {
  const { line, event } = await acknowledged(side);
  if (!line) return { order: notTried('no event of --event is acknowledged') };
  const order = [];
  const ask = async (_, n) => {
    if (await line.ask(event.name, event.args, side.limitMs)) order.push(n);
  };
  await Promise.all(Array.from({ length: BURST_EVENTS }, ask));
  if (order.length < BURST_EVENTS) return { order: `${order.length} of ${BURST_EVENTS} are acknowledged` };
  return { order: order.every((n, at) => n === at) ? 'as sent' : 'another one' };
}

/** A connection and an event that it has had an ack for. */
async function acknowledged(side) {
  let line = await side.connect();
  for (const event of [...side.events, HARMLESS]) {
    if (line?.lost) line = await side.connect();
    if (await line?.ask(event.name, event.args, side.waitMs)) return line.lost ? {} : { line, event };
  }
  return {};
}

export const acks = {
  name: 'acks',
  observe: burst,
  otherwise: says('Roomcast answers the events of a socket in their order; Node handles them side by side.'),
};
