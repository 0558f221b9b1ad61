// Connection state recovery: whether it is on, and what a client that dropped finds.

import { setTimeout as sleep } from 'node:timers/promises';

import { notTried, says, set } from '../advice.mjs';
import { AWAY_MS } from '../limits.mjs';

const NOTHING_SENT = 'the server sent nothing before the drop; an --event that is answered by an event helps';

async function observe(side) {
  const line = await side.connect({ transports: ['websocket'] });
  if (!line) return untried('no', 'not connected');
  const offered = line.welcome?.pid ? 'yes' : 'no';
  const hasHeard = await hears(side, line);
  if (line.lost) return untried(offered, `the connection closed: ${line.lost}`);
  // Node restores only who has heard something.
  if (offered === 'yes' && !hasHeard) return untried(offered, NOTHING_SENT);
  return { offered, ...(await afterDrop(line)) };
}

const untried = (offered, why) =>
  ({ offered, return: notTried(why), recovered: notTried(why), 'socket-id': notTried(why) });

/** Sends your events, until one of them is answered by an event. */
async function hears(side, line) {
  const isTold = async () => (await line.take()).length > 0;
  if (await isTold()) return true;
  for (const { name, args } of side.events) {
    await line.ask(name, args, side.waitMs);
    if (line.lost || (await isTold())) return true;
  }
  return false;
}

async function afterDrop(line) {
  const { id } = line.socket;
  line.socket.io.engine.close();
  await sleep(AWAY_MS);
  const again = line.opened();
  line.socket.connect();
  const { isConnected, text } = await again;
  if (!isConnected) return { return: text };
  return {
    return: 'connected',
    recovered: line.socket.recovered ? 'yes' : 'no',
    'socket-id': line.socket.id === id ? 'the same' : 'a new one',
  };
}

const RECOVERED =
  'Who drops gets the socket back, with rooms and what was missed; each event has one argument more.';
const recover = (node) => set('recovery.enabled', node === 'yes' || node === 'the same', RECOVERED);

export const recovery = {
  name: 'recovery',
  observe,
  otherwise: says('A client that dropped is let in again by one of them only.'),
  advice: { offered: recover, recovered: recover, 'socket-id': recover },
};
