// A node goes and comes again while clients on both talk through nginx: they go on at the other and get
// all that they missed, and nobody is led to what is not there.

import assert from 'node:assert/strict';

import { cluster, nginx, through } from './behind_nginx.mjs';
import { checkMessages, summary } from './chaos_check.mjs';
import { Device } from './chaos_device.mjs';
import { TRANSPORTS } from './client.mjs';
import { address, calling } from './nginx.mjs';
import { elapse, eventually, history, upTo } from './observe.mjs';
import { random } from './random.mjs';

const DEVICES = 9;
const IN_FLIGHT = 3;
const PAUSE_MS = 60;
/** Messages of each device on average, before, while and after a node is gone. */
const ACKS = 6;
const PROBE_EVERY_MS = 20;
const PROBES = 40;
/** From so many networks, which are some of each node. */
const PROBE_FROM = 4;
/** So long a client may hear of what went wrong between nginx and a node. */
const BRIEF_MS = 2_000;
const BACK_WITHIN_MS = 10_000;
const CALM_WITHIN_MS = 20_000;
const SEED = 7;

const HOW = { terminate: 'is told to end', kill: 'is killed' };

/** Devices of all transports, each in a network of its own, who talk in one room. */
function talkers(room) {
  const ways = Object.values({ ...TRANSPORTS, upgrade: ['polling', 'websocket'] });
  return upTo(DEVICES).map((n) => {
    const user = `${room}-user-${n}`;
    const options = { ...calling(address()), transports: ways[n % ways.length] };
    const token = cluster.token(user);
    const device = new Device({ name: user, user, token, urls: [nginx.url], home: 0, options });
    device.enter([room]);
    device.send({ next: random(SEED + n), peers: [], inFlight: IN_FLIGHT, pauseMs: PAUSE_MS });
    return device;
  });
}

/** Asks again and again, from some networks, until it is told to stop: `{at, status, tookMs}` each time. */
class Probe {
  answers = [];
  #isOver = false;
  #networks = upTo(PROBE_FROM).map(address);

  constructor() {
    this.asking = this.#ask();
  }

  async #ask() {
    for (let n = 0; !this.#isOver; n += 1) {
      const at = Date.now();
      const asked = nginx.ask('GET', '/healthz', { from: this.#networks[n % PROBE_FROM] });
      const status = await asked.then((answer) => answer.status, (error) => error.message);
      this.answers.push({ at, status, tookMs: Date.now() - at });
      await elapse(PROBE_EVERY_MS);
    }
  }

  /** Resolves once it has asked as often as shows something. */
  async more() {
    const enough = this.answers.length + PROBES;
    await eventually(() => this.answers.length >= enough, 'nginx is asked', CALM_WITHIN_MS);
  }

  async stop() {
    this.#isOver = true;
    await this.asking;
  }
}

const acked = (devices) => devices.reduce((sum, device) => sum + device.acked, 0);

async function moreAcks(devices, when) {
  const enough = acked(devices) + devices.length * ACKS;
  await eventually(() => acked(devices) >= enough, `messages are acked ${when}`, CALM_WITHIN_MS);
}

/** Every message is stored once and was heard by everyone, live in order or from a page. */
async function assertNothingLost(devices, room) {
  devices.forEach((device) => device.stopSending());
  const areCalm = () => devices.every((device) => device.isQuiet);
  await eventually(areCalm, 'everybody is calm', CALM_WITHIN_MS).catch((error) => {
    throw new Error(`${error.message}\n${devices.map(({ state }) => state).join('\n')}`);
  });
  const stored = [];
  for (const node of cluster.nodes) stored.push({ reader: node.url, messages: await history(node, room) });
  const last = stored[0].messages.at(-1);
  const haveLast = () => devices.every(({ heard }) => heard.some(({ id }) => id === last.id));
  await eventually(haveLast, 'everybody has the last message', CALM_WITHIN_MS);
  const faults = checkMessages({
    devices: devices.map(({ name, user, heard }) => ({ name, user, heard, feeds: [room] })),
    sends: devices.flatMap(({ sends }) => sends),
    stored: { [room]: stored },
  });
  assert.equal(summary(faults), '');
  assert.deepEqual(devices.flatMap(({ oddities }) => oddities), []);
}

/** What was answered in this time, which must be as if no node were missing. */
async function assertPassedOn(t, probe, node, { began, goneAt, back }) {
  const failed = probe.answers.filter(({ status }) => status !== 200);
  // A node that begins takes connections before it answers.
  const slow = probe.answers.filter(({ at, tookMs }) => at < back && tookMs > BRIEF_MS);
  assert.deepEqual([failed, slow], [[], []], 'who came new was led to the other at once');
  const during = (await nginx.log()).filter(({ at }) => at * 1_000 > began);
  const errors = during.filter(({ status }) => status >= 500);
  const statuses = errors.map(({ status }) => status).join(', ') || 'none';
  t.diagnostic(`gone for ${back - goneAt} ms; ${during.length} requests, failures: ${statuses}`);
  assert.deepEqual(errors.filter(({ at }) => at * 1_000 > goneAt + BRIEF_MS), [], 'nothing failed for long');
  const { host } = new URL(node.url);
  const isMeanwhile = (at) => at * 1_000 > goneAt && at * 1_000 < back;
  const answered = during.filter(({ at, nodes }) => isMeanwhile(at) && nodes.length === 2);
  assert.ok(answered.some(({ nodes }) => nodes[0] === host), 'some belonged to the node that is gone');
  assert.deepEqual(answered.filter(({ nodes }) => nodes[1] === host), []);
}

for (const [index, how] of Object.keys(HOW).entries()) {
  through(`a node that ${HOW[how]}`, {
    'is left for the other without a message lost, and comes into use again': async ({ t, world }) => {
      const [room, node] = [world().id('room'), cluster.nodes[index]];
      const devices = talkers(room);
      const probe = new Probe();
      try {
        await moreAcks(devices, 'before');
        const began = Date.now();
        const code = await node[how]();
        const goneAt = Date.now();
        assert.equal(code, how === 'terminate' ? 0 : undefined);
        await moreAcks(devices, 'while it is gone');
        await probe.more();
        const hasMoved = ({ until }) => until > began && until < Infinity;
        const lost = devices.filter(({ online }) => online.some(hasMoved));
        assert.ok(lost.length > 0 && lost.length < DEVICES, `it had ${lost.length} of ${DEVICES} devices`);

        const back = Date.now();
        await node.startAgain();
        await cluster.ready();
        await moreAcks(devices, 'after');
        const isBack = async () => (await nginx.log()).some(({ at, nodes, status }) =>
          at * 1_000 > back && status === 200 && nodes.at(-1) === new URL(node.url).host);
        await eventually(isBack, 'nginx leads to it again', BACK_WITHIN_MS);
        await assertNothingLost(devices, room);
        await probe.stop();
        await assertPassedOn(t, probe, node, { began, goneAt, back });
      } finally {
        await probe.stop();
        devices.forEach((device) => device.close());
      }
    },
  });
}
