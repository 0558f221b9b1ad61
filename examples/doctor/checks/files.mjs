// The browser's client, as pages load it from the server.

import { says } from '../advice.mjs';
import { askForMore } from '../ask.mjs';

const FILES = ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js', 'socket.io.msgpack.min.js'];
const VERSION = /Socket\.IO v([\w.-]+)/;

async function observe(side) {
  const load = (file) => askForMore(`${side.url}${side.path}/${file}`, side.waitMs);
  const answers = await Promise.all(FILES.map(load));
  return Object.fromEntries(FILES.map((file, n) => [file, summary(answers[n])]));
}

function summary({ status, headers, text }) {
  if (status !== 200) return `not served: ${status}`;
  const version = VERSION.exec(text.slice(0, 500))?.[1] ?? 'an unknown version';
  const type = (headers['content-type'] ?? 'no type').split(';')[0];
  return `${version}, ${type}${headers.etag ? ', with an ETag' : ''}`;
}

export const files = {
  name: 'files',
  observe,
  otherwise: says('Roomcast always serves the client of its build; pages may bring any of 3.x and 4.x.'),
};
