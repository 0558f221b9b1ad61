// Which of the two published parsers the server speaks.

import { set } from '../advice.mjs';
import { PARSERS } from '../side.mjs';

async function observe(side) {
  const seen = {};
  for (const [name, parser] of Object.entries(PARSERS)) {
    // What a server that cannot read a client does differs; that it cannot is what counts.
    const { isAnswered } = await side.dial({ parser }).outcome;
    seen[name] = isAnswered ? 'understood' : 'not understood';
  }
  return seen;
}

const advise = (parser) => (node) =>
  set(
    'socket.parser',
    (node === 'understood') === (parser === 'msgpack') ? 'msgpack' : 'json',
    'Clients and server must use the same; Roomcast has socket.io-parser and socket.io-msgpack-parser.',
  );

export const parser = {
  name: 'parser',
  observe,
  advice: { json: advise('json'), msgpack: advise('msgpack') },
};
