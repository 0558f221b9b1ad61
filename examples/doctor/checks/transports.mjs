// Over what clients can connect, and whether frames are compressed.

import { once } from 'node:events';

import { says } from '../advice.mjs';
import { within } from '../limits.mjs';

const HOW = (outcome) => (outcome.isAnswered ? 'works' : outcome.text);

async function observe(side) {
  const [polling, websocket] = await Promise.all([
    side.dial({ transports: ['polling'] }).outcome,
    side.dial({ transports: ['websocket'] }).outcome,
  ]);
  return {
    polling: HOW(polling),
    websocket: HOW(websocket),
    upgrade: await upgrade(side),
    'permessage-deflate': await deflate(side),
  };
}

async function upgrade(side) {
  const line = side.dial({ transports: ['polling', 'websocket'] });
  const { engine } = line.socket.io;
  const upgraded = once(engine, 'upgrade');
  upgraded.catch(() => {});
  const outcome = await line.outcome;
  if (!outcome.isAnswered) return outcome.text;
  if (!line.handshake.upgrades.includes('websocket')) return 'not offered';
  if (!outcome.isConnected) return 'works, as far as who is refused can see';
  const [transport] = await within(side.limitMs, upgraded, 'the upgrade').catch(() => [undefined]);
  return transport ? 'works' : 'does not come about';
}

async function deflate(side) {
  const { status, headers } = await side.webSocket({ 'sec-websocket-extensions': 'permessage-deflate' });
  if (status !== 101) return `no WebSocket: ${status}`;
  return /permessage-deflate/.test(headers['sec-websocket-extensions'] ?? '') ? 'on' : 'off';
}

const ALWAYS = 'Roomcast takes polling and WebSocket always; clients choose by their own `transports`.';

export const transports = {
  name: 'transports',
  observe,
  otherwise: says(ALWAYS),
  advice: {
    upgrade: () => says('Roomcast offers the upgrade always; clients choose by their own `upgrade`.'),
    'permessage-deflate': () =>
      says('Roomcast compresses no frames: large events take more of the network, and less of the machine.'),
  },
};
