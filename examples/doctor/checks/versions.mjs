// Which generations of clients are let in, and how what does not fit is refused.

import { says, set } from '../advice.mjs';
import { askForMore } from '../ask.mjs';
import { isOpen, refusalCode } from '../side.mjs';

async function observe(side) {
  const asked = {
    'engine-io-3': { EIO: '3', transport: 'polling' },
    'engine-io-4': { EIO: '4', transport: 'polling' },
    'no-version': { EIO: '', transport: 'polling' },
    'unknown-transport': { transport: 'pigeon' },
    'unknown-session': { transport: 'polling', sid: 'A'.repeat(20) },
  };
  const answers = Object.entries(asked).map(async ([name, query]) => [name, await answered(side, query)]);
  return {
    ...Object.fromEntries(await Promise.all(answers)),
    'without-slash': await withoutSlash(side),
  };
}

async function answered(side, query) {
  const { status, text } = await side.engine(query);
  side.leave(text);
  if (isOpen(text)) return 'accepted';
  const code = refusalCode(text);
  return `refused: ${status}${code === undefined ? '' : `, code ${code}`}`;
}

/** Clients with `addTrailingSlash: false`. */
async function withoutSlash(side) {
  const { text } = await askForMore(`${side.url}${side.path}?EIO=4&transport=polling`, side.waitMs);
  side.leave(text);
  return isOpen(text) ? 'accepted' : 'refused';
}

export const versions = {
  name: 'versions',
  observe,
  otherwise: says('Stock clients send no such requests; a monitor of yours may.'),
  advice: {
    'engine-io-3': (node) =>
      set('socket.eio3', node === 'accepted', 'Clients of generation 2 connect to one of them only.'),
    'engine-io-4': () => says('Clients of generations 3 and 4 connect to one of them only.'),
    'without-slash': () => says('Clients with `addTrailingSlash: false` connect to one of them only.'),
  },
};
