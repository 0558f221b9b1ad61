// Conformance to Engine.IO v4 and Socket.IO v5, packet by packet, of the example `protocol_suite`.
//
// Engine.IO is checked twice: bare, and as Socket.IO's transport. PROTOCOL_SUITE_BIN names another
// build of the example, PROTOCOL_SUITE_URL a server that runs already.

import { after, afterEach } from 'node:test';

import { engineTests } from './protocol_engine.mjs';
import { lifetimeTests } from './protocol_lifetime.mjs';
import { Endpoint, Socket, Suite } from './protocol_peer.mjs';
import { socketTests } from './protocol_socket.mjs';
import { upgradeTests } from './protocol_upgrade.mjs';
import { Wire } from './wire.mjs';

const suite = await Suite.start();
after(() => suite.stop());
afterEach(() => {
  Socket.destroyAll();
  Wire.destroyAll();
});

const bare = new Endpoint(suite.url, '/engine.io/', { asks: '4hello', hears: '4hello' });
const socketIo = new Endpoint(suite.url, '/socket.io/', {
  asks: '40/random',
  hears: '44/random,{"message":"Invalid namespace"}',
});

for (const endpoint of [bare, socketIo]) {
  engineTests(endpoint);
  lifetimeTests(endpoint);
  upgradeTests(endpoint);
}
socketTests(socketIo);
