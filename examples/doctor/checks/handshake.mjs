// What the server tells a client first: heartbeats, the largest payload, upgrades, cookies, its path.

import { says, set } from '../advice.mjs';
import { isOpen } from '../side.mjs';

async function observe(side) {
  const { headers, text } = await side.engine({ transport: 'polling' });
  side.leave(text);
  const told = isOpen(text) ? JSON.parse(text.slice(1)) : await overWebSocket(side);
  return {
    path: `${side.path}/`,
    'ping-interval-ms': told.pingInterval,
    'ping-timeout-ms': told.pingTimeout,
    'max-payload-bytes': told.maxPayload,
    upgrades: told.upgrades.join(', ') || 'none',
    'session-id': /^[\w-]{20}$/.test(told.sid) ? '20 characters' : `${told.sid.length} characters`,
    cookie: cookies(headers['set-cookie']),
  };
}

/** Of a server that refuses polling. */
async function overWebSocket(side) {
  const line = side.dial({ transports: ['websocket'] });
  const { text } = await line.outcome;
  if (!line.handshake) throw new Error(`no handshake: ${text}`);
  return line.handshake;
}

/** Names and attributes; values are nobody's business. */
function cookies(lines = []) {
  const without = (line) => line.replace(/=[^;]*/, '').replace(/(expires|max-age)=[^;]*/gi, '$1');
  return lines.map(without).sort().join(', ') || 'none';
}

export const handshake = {
  name: 'handshake',
  observe,
  otherwise: says('Clients take this as the server tells it; only code of yours that reads it would notice.'),
  advice: {
    path: () => says('Roomcast is under /socket.io/ always: let your proxy map the path that clients use.'),
    'ping-interval-ms': (node) =>
      set('socket.ping_interval_ms', node, 'Clients are pinged at another pace.'),
    'ping-timeout-ms': (node) =>
      set('socket.ping_timeout_ms', node, 'A client that does not answer is given up sooner or later.'),
    'max-payload-bytes': (node) =>
      set('limits.payload_bytes', node, 'What is larger is refused.'),
    upgrades: () => says('Roomcast offers WebSocket always, and no WebTransport; clients choose.'),
    cookie: () => says('Roomcast sets no cookie: a proxy sticks clients to nodes by their address.'),
  },
};
