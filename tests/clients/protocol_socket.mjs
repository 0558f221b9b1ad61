// Socket.IO v5: namespaces, events, acks and binary, as a client writes and reads them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { rounds } from './protocol_peer.mjs';
import { Wire, frame } from './wire.mjs';

const ROUNDS = 40;
/** How often the answer to CONNECT may come in one read with what follows it, on a busy machine. */
const TOGETHER = 4;
/** How long a client may be without a namespace: at least, and at most. */
const PATIENCE_MS = 950;
const PATIENCE_LIMIT_MS = 3_000;

const MARKS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
const FIRST = [1, 2, 3];
const SECOND = [4, 5, 6];

export function socketTests(endpoint) {
  describe('Socket.IO connect', () => connectTests(endpoint));
  describe('Socket.IO disconnect', () => disconnectTests(endpoint));
  describe('Socket.IO message', () => messageTests(endpoint));
  describe('Socket.IO over polling', () => pollingTests(endpoint));
  describe('Socket.IO format', () => formatTests(endpoint));
}

/** The socket's id by the answer to CONNECT, which must hold nothing else. */
function welcomed(packet, prefix) {
  assert.ok(packet.startsWith(prefix), packet);
  const answer = JSON.parse(packet.slice(prefix.length));
  assert.deepEqual(Object.keys(answer), ['sid']);
  assert.equal(typeof answer.sid, 'string');
  return answer.sid;
}

/** Connects a namespace; `path` is how its packets name it. */
async function connect(socket, path = '') {
  socket.send(`40${path}`);
  const sid = welcomed(await socket.next(), `40${path}`);
  await socket.hears(`42${path}["auth",{}]`);
  return sid;
}

/** A client that is connected to the main namespace. */
async function connected(endpoint) {
  const socket = await endpoint.session();
  await connect(socket);
  return socket;
}

function connectTests(endpoint) {
  const accepted = {
    'the main namespace': ['40', '40', '42["auth",{}]'],
    'the main namespace with a payload': ['40{"token":"123"}', '40', '42["auth",{"token":"123"}]'],
    'the main namespace with any payload': ['40{"a":[1,null,"ü"]}', '40', '42["auth",{"a":[1,null,"ü"]}]'],
    'a custom namespace': ['40/custom,', '40/custom,', '42/custom,["auth",{}]'],
    'a custom namespace without a comma': ['40/custom', '40/custom,', '42/custom,["auth",{}]'],
    'a custom namespace with a payload': [
      '40/custom,{"token":"abc"}',
      '40/custom,',
      '42/custom,["auth",{"token":"abc"}]',
    ],
  };
  for (const [what, [packet, prefix, auth]] of Object.entries(accepted)) {
    test(`${what} is open`, async () => {
      const socket = await endpoint.session();
      socket.send(packet);
      const sid = welcomed(await socket.next(), prefix);
      assert.notEqual(sid, socket.sid, 'the secret of the session');
      await socket.hears(auth);
    });
  }

  test('an unknown namespace is refused, and the connection stays', async () => {
    const socket = await endpoint.session();
    socket.send('40/random');
    await socket.hears('44/random,{"message":"Invalid namespace"}');
    socket.send('40/random,{"token":"abc"}');
    await socket.hears('44/random,{"message":"Invalid namespace"}');
    await connect(socket);
  });

  test('each namespace has a socket of its own', async () => {
    const socket = await endpoint.session();
    assert.notEqual(await connect(socket), await connect(socket, '/custom,'));
  });

  // Clients that listen for one message at a time miss one that shares a read with another.
  test('the answer to CONNECT comes by itself', async (t) => {
    let together = 0;
    await rounds(ROUNDS, async () => {
      const wire = await Wire.websocket(endpoint.url, endpoint.target(endpoint.query('websocket')));
      await wire.frame('0{');
      wire.socket.on('data', (bytes) => {
        if (/40\{"sid.*42\["auth/s.test(bytes.toString('latin1'))) together += 1;
      });
      wire.write(frame('40'));
      await wire.frame('42["auth"');
      wire.destroy();
    });
    t.diagnostic(`in one read with the first event: ${together} of ${ROUNDS}`);
    assert.ok(together <= TOGETHER, `${together} of ${ROUNDS}`);
  });

  test('a handshake that is none closes the connection', async () => {
    const socket = await endpoint.session();
    socket.send('4abc');
    await socket.closed();
  });

  test('a client that asks for no namespace and answers no ping is closed', async () => {
    const socket = await endpoint.session({ beats: false });
    await socket.closed();
  });

  for (const [what, packets] of [['for no namespace', []], ['only for one that is not there', ['40/random']]]) {
    test(`a client that asks ${what} is closed in time`, async () => {
      const began = performance.now();
      const socket = await endpoint.session();
      socket.send(...packets);
      const took = (await socket.closed(PATIENCE_LIMIT_MS)) - began;
      assert.ok(took >= PATIENCE_MS, `closed after ${took} ms`);
    });
  }
}

function disconnectTests(endpoint) {
  test('a client that leaves the main namespace keeps its connection', async () => {
    const socket = await endpoint.session({ beats: false });
    await connect(socket);
    socket.send('41');
    await socket.hears('2');
    socket.send('3');
  });

  test('what it sends there is not handled any more, until it comes back', async () => {
    const socket = await connected(endpoint);
    socket.send('41', '42["message","too late"]');
    await connect(socket);
    socket.send('42["message","in time"]');
    await socket.hears('42["message-back","in time"]');
  });

  test('a client that leaves a custom namespace stays in the main one', async () => {
    const socket = await connected(endpoint);
    await connect(socket, '/custom,');
    socket.send('41/custom', '42/custom,["message",0]', '42["message","message to main namespace"]');
    await socket.hears('42["message-back","message to main namespace"]');
  });

  test('a client that leaves the main namespace stays in a custom one', async () => {
    const socket = await connected(endpoint);
    await connect(socket, '/custom,');
    socket.send('41', '42["message",0]', '42/custom,["message",1]');
    await socket.hears('42/custom,["message-back",1]');
  });
}

function messageTests(endpoint) {
  const answered = {
    text: ['42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'],
    'no argument': ['42["message"]', '42["message-back"]'],
    'a list': ['42["message",[1,[2]]]', '42["message-back",[1,[2]]]'],
    'beyond ASCII': ['42["message","€ 😀",null]', '42["message-back","€ 😀",null]'],
    'numbers as they are': ['42["message",0,-1,1.5,9007199254740991]', '42["message-back",0,-1,1.5,9007199254740991]'],
    'keys in their order': ['42["message",{"b":1,"a":2,"c":{}}]', '42["message-back",{"b":1,"a":2,"c":{}}]'],
    'an ack': ['42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'],
    'the first ack': ['420["message-with-ack","zero"]', '430["zero"]'],
    'an ack of nothing': ['421["message-with-ack"]', '431[]'],
  };
  for (const [what, [packet, answer]] of Object.entries(answered)) {
    test(`${what} in the main namespace`, async () => {
      const socket = await connected(endpoint);
      socket.send(packet);
      await socket.hears(answer);
    });

    test(`${what} in a custom namespace`, async () => {
      const socket = await endpoint.session();
      await connect(socket, '/custom,');
      const inCustom = (text) => `${text.slice(0, 2)}/custom,${text.slice(2)}`;
      socket.send(inCustom(packet));
      await socket.hears(inCustom(answer));
    });
  }

  const binary = {
    'in an event': [`452-["message",${MARKS}]`, `452-["message-back",${MARKS}]`],
    'in an event with an ack': [`452-789["message-with-ack",${MARKS}]`, `462-789[${MARKS}]`],
    'below other values': [
      `452-["message",{"a":[${MARKS}]},"b"]`,
      `452-["message-back",{"a":[${MARKS}]},"b"]`,
    ],
  };
  for (const [what, [packet, answer]] of Object.entries(binary)) {
    test(`binary ${what}`, async () => {
      const socket = await connected(endpoint);
      socket.send(packet, FIRST, SECOND);
      await socket.hears(answer, FIRST, SECOND);
    });
  }

  test('binary in a custom namespace, empty too', async () => {
    const socket = await endpoint.session();
    await connect(socket, '/custom,');
    socket.send(`452-/custom,3["message-with-ack",${MARKS}]`, [], SECOND);
    await socket.hears(`462-/custom,3[${MARKS}]`, [], SECOND);
  });

  test('events are handled in their order', async () => {
    const socket = await connected(endpoint);
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    socket.send(...numbers.map((n) => `42${n}["message-with-ack",${n}]`));
    await socket.hears(...numbers.map((n) => `43${n}[${n}]`));
  });

  test('what follows CONNECT at once is handled behind its answer', async () => {
    const socket = await endpoint.session();
    socket.send('40', '42["message","early"]');
    welcomed(await socket.next(), '40');
    await socket.hears('42["auth",{}]', '42["message-back","early"]');
  });
}

function pollingTests(endpoint) {
  const polled = async () => {
    const polling = await endpoint.open();
    await polling.posts('40');
    const [welcome, auth] = await polling.collect(2);
    welcomed(welcome, '40');
    assert.equal(auth, '42["auth",{}]');
    return polling;
  };

  test('a namespace is connected, and events are answered', async () => {
    const polling = await polled();
    await polling.posts('42["message",1]', '421["message-with-ack",2]');
    assert.deepEqual(await polling.collect(2), ['42["message-back",1]', '431[2]']);
  });

  test('binary in both directions', async () => {
    const polling = await polled();
    await polling.posts(`452-9["message-with-ack",${MARKS}]`, 'bAQID', 'bBAUG');
    assert.deepEqual(await polling.collect(3), [`462-9[${MARKS}]`, 'bAQID', 'bBAUG']);
  });

  test('many answers keep their order over several polls', async () => {
    const polling = await polled();
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    await polling.posts(...numbers.map((n) => `42${n}["message-with-ack",${n}]`));
    assert.deepEqual(await polling.collect(40), numbers.map((n) => `43${n}[${n}]`));
  });

  test('an upgrade keeps the socket', async () => {
    const polling = await polled();
    const socket = await endpoint.rival(polling);
    socket.send('2probe', '5', `452-["message",${MARKS}]`, FIRST, SECOND);
    await socket.hears('3probe', `452-["message-back",${MARKS}]`, FIRST, SECOND);
  });
}

function formatTests(endpoint) {
  const invalid = {
    'an unknown type': ['4abc'],
    'nothing': ['4'],
    'a payload that is no list': ['42{}'],
    'an empty list': ['42[]'],
    'JSON that is none': ['42["message"'],
    'an ack id that is no number': ['42abc["message-with-ack",1,"2",{"3":[false]}]'],
    'bytes that nothing announced': [FIRST],
    'text where bytes were announced': ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
  };
  for (const [what, messages] of Object.entries(invalid)) {
    test(`${what} closes the connection`, async () => {
      const socket = await connected(endpoint);
      socket.send(...messages);
      await socket.closed();
    });
  }
}
