// What no client of good will sends: frames, packets, payloads and requests, each with its name.

import { OPCODE, frame } from './wire.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

const part = (text) => frame(text, { fin: false });

/** RFC 6455 makes a server fail the connection for each of these. */
export const FORBIDDEN_FRAMES = {
  'a frame that is not masked': frame('2', { mask: false }),
  ...Object.fromEntries([1, 2, 4, 7].map((rsv) => [`reserved bits ${rsv}`, frame('2', { rsv })])),
  ...Object.fromEntries(
    [...range(3, 7), ...range(11, 15)].map((opcode) => [`opcode ${opcode}`, frame('2', { opcode })]),
  ),
  'a ping in fragments': frame('', { opcode: OPCODE.ping, fin: false }),
  'a close in fragments': frame('', { opcode: OPCODE.close, fin: false }),
  'a ping of 126 bytes': frame('p'.repeat(126), { opcode: OPCODE.ping }),
  'a continuation of nothing': frame('2', { opcode: OPCODE.continuation }),
  'a message within a message': Buffer.concat([part('4'), frame('2')]),
  'a text that is not UTF-8': frame([0x34, 0x32, 0xff, 0xfe]),
  'a text that ends within a character': frame([0x34, 0x32, 0xe2, 0x82]),
  'fragments that are not UTF-8 together': Buffer.concat([
    frame([0x34, 0xe2], { fin: false }),
    frame([0x41], { opcode: OPCODE.continuation }),
  ]),
  'a close of one byte': frame([3], { opcode: OPCODE.close }),
  'a close with a code that nobody may send': frame([3, 0xed], { opcode: OPCODE.close }),
  'a close with a reason that is not UTF-8': frame([3, 0xe8, 0xff], { opcode: OPCODE.close }),
  'a length with its highest bit set': frame('4', { claims: 2n ** 63n }),
  'a length of 1 GB': frame('4', { claims: 10n ** 9n }),
};

const LONG = frame('4'.repeat(1_000));

/** Frames that stop in the middle: nothing that follows can be understood. */
export const TRUNCATED_FRAMES = {
  'half of the first two bytes': LONG.subarray(0, 1),
  'a frame without its length': LONG.subarray(0, 3),
  'a frame without its mask': LONG.subarray(0, 6),
  'a frame without its end': LONG.subarray(0, 300),
};

const binary = (bytes) => frame(bytes, { opcode: OPCODE.binary });
const texts = (...all) => Buffer.concat(all.map((text) => frame(text)));
const placeholder = (num) => JSON.stringify(['e', { _placeholder: true, num }]);

/** Well-formed frames with packets that mean nothing, or too much. */
export const BAD_PACKETS = {
  'a message over the payload limit': frame(`42["join:room","${'r'.repeat(1_900_000)}"]`),
  'a message over the payload limit, in fragments': Buffer.concat([
    part('4'.repeat(900_000)),
    frame('4'.repeat(900_000), { opcode: OPCODE.continuation }),
  ]),
  'binary over the payload limit': frame(Buffer.alloc(1_900_000), { opcode: OPCODE.binary }),
  'an empty frame': frame(''),
  ...Object.fromEntries(['7', '8', '9', 'x', '\u0000', '€'].map((type) => [`Engine.IO type ${type}`, frame(type)])),
  'an open packet': frame('0{"sid":"mine","upgrades":[],"pingInterval":1,"pingTimeout":1}'),
  'a probe on a session that needs none': frame('2probe'),
  'an upgrade out of turn': frame('5'),
  'a noop': frame('6'),
  'a thousand pongs that nobody asked for': texts(...Array(1_000).fill('3')),
  'a message without a packet': frame('4'),
  ...Object.fromEntries(['7', '8', '9', 'x'].map((type) => [`Socket.IO type ${type}`, frame(`4${type}`)])),
  'an event without arguments': frame('42'),
  'an event that is no list': frame('42{"a":1}'),
  'an event that is cut': frame('42["message:send",{"roomId":'),
  'an event without a name': frame('42[]'),
  'an event whose name is an object': frame('42[{}]'),
  'an event with a reserved name': texts('42["connect"]', '42["disconnect","x"]', '42["connect_error"]'),
  'an ack id out of range': frame('4299999999999999999999["presence:get",[]]'),
  'a negative ack id': frame('42-1["presence:get",[]]'),
  'a number with an exponent of a million': frame('42["presence:get",[1e1000000]]'),
  'half of a surrogate pair': frame('42["presence:get",["\\ud800"]]'),
  'a hundred thousand lists in each other': frame(`42${'['.repeat(100_000)}`),
  'a hundred thousand objects in each other': frame(`42["presence:get"${',{"a":'.repeat(100_000)}`),
  'acks that nobody asked for': texts('43[]', '430[]', '43999["x"]', '43x'),
  'a CONNECT with broken JSON': frame('40{"token":'),
  'a CONNECT with a list': frame('40[1,2]'),
  'a CONNECT to a namespace that is not there': frame('40/no-such,{}'),
  'a namespace that never ends': frame(`42/${'n'.repeat(100_000)}`),
  'events to a namespace that was not entered': texts('42/admin,["e"]', '41/admin,'),
  'a refusal of the server': frame('44{"message":"no"}'),
  'a second CONNECT': texts('40{}', '40{}', '40{}'),
  'an event behind a goodbye': texts('41', '42["presence:get",[]]'),
  '10,000 claimed attachments': frame('4510000-["e"]'),
  '10,000 claimed attachments and 20 that come': Buffer.concat([
    frame(`4510000-${placeholder(0)}`),
    ...Array.from({ length: 20 }, () => binary([1])),
  ]),
  'more claimed attachments than can be counted': frame('4599999999999999999999-["e"]'),
  'less than no attachments': frame('45-1-["e"]'),
  'attachments without a count': frame('45-["e"]'),
  'a count without attachments': frame('451'),
  'an attachment that no argument is': Buffer.concat([frame('451-["e"]'), binary([1])]),
  'a placeholder out of range': Buffer.concat([frame(`451-${placeholder(5)}`), binary([1])]),
  'a placeholder that is no number': Buffer.concat([frame(`451-${placeholder('zero')}`), binary([1])]),
  'a negative placeholder': Buffer.concat([frame(`451-${placeholder(-1)}`), binary([1])]),
  'two attachments for a claimed one': Buffer.concat([frame(`451-${placeholder(0)}`), binary([1]), binary([2])]),
  'text while an attachment is missing': texts(`452-${placeholder(0)}`, '42["presence:get",[]]'),
  'binary out of turn': binary([1, 2, 3]),
  'empty binary out of turn': binary([]),
  'an ack with an attachment that nobody asked for': Buffer.concat([frame(`461-0${placeholder(0)}`), binary([1])]),
};

/** Bodies of a POST into a polling session. */
export const BAD_PAYLOADS = {
  'no payload': 'garbage',
  'nothing': '',
  'only separators': '\x1e\x1e\x1e',
  'a packet and an unknown one': '3\x1e9\x1e42["presence:get",[]]',
  'base64 that is none': 'b!!!!',
  'binary out of turn': 'bAQID',
  'a JSONP form': 'd=4%7B%7D',
  'the length prefixes of Engine.IO 3': '12:40{"a":true}',
  'bytes that are not UTF-8': new Uint8Array([0x34, 0xff, 0xfe]),
  'packets without end': Array(50_000).fill('3').join('\x1e'),
  'a body over the limit': '4'.repeat(2_000_000),
};

const request = (line, ...headers) => [line, 'host: x', ...headers, '', ''].join('\r\n');
const websocket = (...headers) =>
  request('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'connection: Upgrade', 'upgrade: websocket', ...headers);
const KEY = 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==';
const VERSION = 'sec-websocket-version: 13';

/** What a server answers with an error, or not at all. */
export const BAD_REQUESTS = {
  'no HTTP': 'GARBAGE\r\n\r\n',
  'the greeting of TLS': Buffer.from('1603010200010001fc0303', 'hex'),
  'an HTTP version of the future': request('GET / HTTP/9.9'),
  'a header without a name': request('GET / HTTP/1.1', ': x'),
  'a header of 1 MB': request('GET / HTTP/1.1', `x: ${'y'.repeat(2 ** 20)}`),
  'a thousand headers': request('GET / HTTP/1.1', ...Array(1_000).fill('x: y')),
  'two lengths': `${request('POST /api/emit HTTP/1.1', 'content-length: 1', 'content-length: 2')}44`,
  'a chunk of no number': `${request('POST /api/emit HTTP/1.1', 'transfer-encoding: chunked')}zz\r\n`,
  'no transport': request('GET /socket.io/?EIO=4 HTTP/1.1'),
  'a transport that is not there': request('GET /socket.io/?EIO=4&transport=pigeon HTTP/1.1'),
  'an Engine.IO of the future': request('GET /socket.io/?EIO=5&transport=polling HTTP/1.1'),
  'a session that is not there': request('GET /socket.io/?EIO=4&transport=polling&sid=no-such HTTP/1.1'),
  'a session id of 100 KB': request(`GET /socket.io/?EIO=4&transport=polling&sid=${'s'.repeat(50_000)} HTTP/1.1`),
  'a session id that is not UTF-8': request('GET /socket.io/?EIO=4&transport=polling&sid=%ff%fe HTTP/1.1'),
  'a handshake by POST': request('POST /socket.io/?EIO=4&transport=polling HTTP/1.1', 'content-length: 0'),
  'a WebSocket that is none': request('GET /socket.io/?EIO=4&transport=websocket HTTP/1.1'),
  'a WebSocket without a key': websocket(VERSION),
  'a WebSocket without a version': websocket(KEY),
  'a WebSocket of version 8': websocket(KEY, 'sec-websocket-version: 8'),
  'a WebSocket into a session that is not there': request(
    'GET /socket.io/?EIO=4&transport=websocket&sid=no-such HTTP/1.1',
    'connection: Upgrade', 'upgrade: websocket', KEY, VERSION,
  ),
};
