// What pages of other origins may do: your own, and one that nobody has allowed.

import { set } from '../advice.mjs';

/** Of the reserved names: nobody can have allowed it but by allowing all. */
const FOREIGN = 'https://doctor.invalid';
const ASKED_HEADERS = 'authorization,content-type';

async function observe(side) {
  const seen = await of(side, FOREIGN, 'foreign');
  return side.origin ? { ...(await of(side, side.origin, 'own')), ...seen } : seen;
}

async function of(side, origin, whose) {
  const polled = await side.engine({ transport: 'polling' }, { headers: { origin } });
  side.leave(polled.text);
  const preflight = await side.engine({ transport: 'polling' }, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': ASKED_HEADERS,
    },
  });
  const { status } = await side.webSocket({ origin });
  return {
    [`${whose}-origin`]: mayRead(polled.headers, origin),
    [`${whose}-preflight`]: preflighted(preflight.headers, origin),
    [`${whose}-websocket`]: status === 101 ? 'opens' : `refused: ${status}`,
  };
}

/** What a browser makes of it: who allows nobody and who allows others only are the same to it. */
function mayRead(headers, origin) {
  const allowed = headers['access-control-allow-origin'];
  if (allowed !== '*' && allowed !== origin) return 'refused';
  const credentials = allowed !== '*' && headers['access-control-allow-credentials'] === 'true';
  return credentials ? 'allowed, with credentials' : 'allowed, without credentials';
}

function preflighted(headers, origin) {
  const read = mayRead(headers, origin);
  if (read === 'refused') return read;
  const list = (name) => (headers[name] ?? '').toLowerCase().split(/\s*,\s*/);
  const misses = (wanted, allowed) => wanted.split(',').filter((one) => !allowed.includes(one));
  const star = (allowed) => allowed.includes('*') && !read.endsWith('with credentials');
  const methods = list('access-control-allow-methods');
  const fields = list('access-control-allow-headers');
  // POST needs no permission by itself, but a preflight that was not allowed any method says no to others.
  const missing = [
    ...(star(methods) ? [] : misses('post', methods)),
    ...(star(fields) ? [] : misses(ASKED_HEADERS, fields)),
  ];
  return missing.length ? `${read}, but not ${missing.join(', ')}` : read;
}

const KEY = 'server.allowed_origins';
const YOURS = 'the origins of your pages';
/** Where Node lets anybody in, only "*" is the same. */
const anybody = (node) => (node.startsWith('allowed') ? '"*", or better the origins of your pages' : YOURS);

const CREDENTIALS =
  'Roomcast lets the origins on its list send credentials and any header, for HTTP routes and sockets alike.';
const WEBSOCKET = 'Roomcast checks the origin of a WebSocket, too, which Node does not.';

export const cors = {
  name: 'cors',
  observe,
  advice: {
    'own-origin': () => set(KEY, YOURS, CREDENTIALS),
    'own-preflight': () => set(KEY, YOURS, CREDENTIALS),
    'own-websocket': () => set(KEY, YOURS, WEBSOCKET),
    'foreign-origin': (node) => set(KEY, anybody(node), CREDENTIALS),
    'foreign-preflight': (node) => set(KEY, anybody(node), CREDENTIALS),
    'foreign-websocket': () => set(KEY, YOURS, WEBSOCKET),
  },
};
