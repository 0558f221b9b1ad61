// The clients of one side, in a process of their own: members who listen on every node, and one who
// sends on the first. They read of a message no more than its seq and when it was sent.

import WebSocket from 'ws';

const AT_ONCE = 50;
const IN_FLIGHT = 8;
const CONTENT_BYTES = 100;
const WAIT_MS = 60_000;
const LOOK_EVERY_MS = 10;

const EVENT = Buffer.from('42["message:new"');
const SEQ = Buffer.from('"seq":');
const SENT = Buffer.from('sent=');

/** Microseconds of the machine's clock, the same in every process. */
const now = () => Number(process.hrtime.bigint() / 1_000n);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The decimal number that begins here. */
function numberAt(bytes, from) {
  let value = 0;
  for (let n = from; bytes[n] >= 0x30 && bytes[n] <= 0x39; n += 1) value = value * 10 + bytes[n] - 0x30;
  return value;
}

class Client {
  constructor(url, auth) {
    this.acks = new Map();
    this.asked = 0;
    this.onMessage = () => {};
    this.ws = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
    this.connected = new Promise((resolve, reject) => {
      this.ws.on('error', reject);
      this.ws.on('message', (bytes) => {
        if (bytes.subarray(0, EVENT.length).equals(EVENT)) this.onMessage(bytes);
        else this.#control(bytes.toString(), auth, resolve);
      });
    });
  }

  #control(text, auth, resolve) {
    if (text === '2') this.ws.send('3');
    else if (text.startsWith('0')) this.ws.send(`40${JSON.stringify(auth)}`);
    else if (text.startsWith('40')) resolve(this);
    else if (text.startsWith('43')) {
      const id = Number.parseInt(text.slice(2), 10);
      if (!text.includes('"ok":true')) throw new Error(text);
      this.acks.get(id)?.();
      this.acks.delete(id);
    } else if (text.startsWith('44')) throw new Error(text);
  }

  ask(event, argument) {
    this.asked += 1;
    const acked = new Promise((resolve) => {
      this.acks.set(this.asked, resolve);
    });
    this.ws.send(`42${this.asked}${JSON.stringify([event, argument])}`);
    return acked;
  }
}

let sender;
let members = [];
/** What was heard in this round. */
let heard;

function listen(member) {
  member.onMessage = (bytes) => {
    const at = now();
    const seq = numberAt(bytes, bytes.indexOf(SEQ) + SEQ.length);
    if (seq === member.last) heard.twice += 1;
    else if (seq < member.last) heard.disorder += 1;
    else member.last = seq;
    heard.latencies[heard.count] = at - numberAt(bytes, bytes.indexOf(SENT) + SENT.length);
    heard.count += 1;
    member.count += 1;
  };
}

async function connect({ urls, perNode, auths, room }) {
  const join = async (n) => {
    const client = await new Client(urls[n % urls.length], auths[n]).connected;
    await client.ask('join:room', room);
    return client;
  };
  for (let from = 0; from < perNode * urls.length; from += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, perNode * urls.length - from) }, (_, n) => join(from + n));
    members.push(...(await Promise.all(batch)));
  }
  // On the first node: the number is a multiple of that of nodes.
  sender = await join(perNode * urls.length);
  members.forEach((member) => Object.assign(member, { last: 0 }) && listen(member));
}

async function round({ messages, room }) {
  const expected = messages * members.length;
  heard = { count: 0, twice: 0, disorder: 0, latencies: new Float64Array(expected * 2) };
  members.forEach((member) => Object.assign(member, { count: 0 }));
  const began = now();
  let sent = 0;
  const one = async () => {
    while (sent < messages) {
      sent += 1;
      await sender.ask('message:send', { roomId: room, content: `sent=${now()} `.padEnd(CONTENT_BYTES, 'm') });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  const end = Date.now() + WAIT_MS;
  while (heard.count < expected && Date.now() < end) await pause(LOOK_EVERY_MS);
  const latencies = heard.latencies.slice(0, heard.count).sort();
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] / 1_000;
  return {
    deliveries: heard.count,
    lost: members.reduce((sum, { count }) => sum + Math.max(0, messages - count), 0),
    twice: heard.twice,
    disorder: heard.disorder,
    p50: at(0.5),
    p99: at(0.99),
    seconds: (now() - began) / 1e6,
  };
}

const CALLS = { connect, round };
process.on('message', async ({ call, ...argument }) => process.send({ result: await CALLS[call](argument) }));
process.on('disconnect', () => process.exit());
