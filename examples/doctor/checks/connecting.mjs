// Who is let in, how others are refused, and what comes first.

import { notTried, says, set } from '../advice.mjs';
import { heardShapes } from '../shape.mjs';

const NONSENSE = { token: 'no.such.token' };

async function observe(side) {
  const how = async (options) => (await side.dial(options).outcome).text;
  const [withAuth, without, nonsense, namespace] = await Promise.all([
    side.auth && how({}),
    how({ auth: undefined }),
    how({ auth: NONSENSE }),
    how({ namespace: '/doctor-unknown' }),
  ]);
  return {
    ...(side.auth && { 'with-auth': withAuth }),
    'without-auth': without,
    'nonsense-token': nonsense,
    'unknown-namespace': namespace,
    ...(await welcome(side)),
  };
}

/** What who was let in is, and hears. */
async function welcome(side) {
  // Others may be told that its user comes; so somebody has come before, and all have been told.
  await (await side.connect())?.take();
  const line = await side.connect();
  if (!line) return { 'socket-id': notTried('not connected'), 'first-events': notTried('not connected') };
  const { id } = line.socket;
  const own = id === line.handshake.sid ? ', those of the session' : '';
  return { 'socket-id': `${id.length} characters${own}`, 'first-events': heardShapes(await line.take()) };
}

export const connecting = {
  name: 'connecting',
  listens: true,
  observe,
  otherwise: says('Frontends that compare the text of `connect_error` must know the new one.'),
  advice: {
    'with-auth': () =>
      set('auth.jwt_secret', 'that of your Node server', 'Roomcast wants a JWT that it can verify.'),
    'without-auth': (node, roomcast) =>
      node === 'connected' || roomcast === 'connected'
        ? set('auth.guests', node === 'connected', 'Guests use only what is public.')
        : says('Roomcast refuses with "Authentication required"; `data.code` says why.'),
    'nonsense-token': (node) =>
      node === 'connected'
        ? says('Roomcast refuses a token that fails, always: clients must send a valid one, or none.')
        : says('Roomcast refuses with "Invalid token"; `data.code` says why.'),
    'unknown-namespace': () => says('Roomcast has the namespace / only; others are declared in Rust.'),
    'socket-id': () => says('Code that stores or checks socket ids must take both.'),
    'first-events': () =>
      says('Roomcast tells each socket its id by `socket-id`, and who comes online by `presence:changed`.'),
  },
};
