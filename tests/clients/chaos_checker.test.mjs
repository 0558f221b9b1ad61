// The fault checker finds what is wrong in made-up histories, and nothing in good ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { checkMessages, summary } from './chaos_check.mjs';
import { checkPresence, checkTruth, gaps, without } from './chaos_presence.mjs';

const kinds = (faults) => [...new Set(faults.map(({ kind }) => kind))].sort();

const message = (seq, more = {}) => ({ id: `m${seq}`, seq, clientId: `c${seq}`, userId: 'alice', ...more });
const live = (seq, more = {}) => ({ feed: 'r', id: `m${seq}`, seq, session: '1', isLive: true, ...more });
const page = (seq, more = {}) => live(seq, { isLive: false, session: undefined, ...more });
const send = (seq, more = {}) => ({
  feed: 'r', user: 'alice', clientId: `c${seq}`, sentAt: 100 * seq, acks: [{ at: 100 * seq + 10, id: `m${seq}`, seq }], ...more,
});

/** Three messages that alice sent and bob heard live, apart from what is given. */
function history({ heard = [live(1), live(2), live(3)], sends = [send(1), send(2), send(3)], messages = [1, 2, 3].map((n) => message(n)), others = [], ...more } = {}) {
  return {
    devices: [{ name: 'bob', user: 'bob', feeds: ['r'], heard }],
    sends,
    stored: { r: [{ reader: 'node 0', messages }, ...others] },
    ...more,
  };
}

const BAD = {
  'a message that bob never got is lost': ['lost', { heard: [live(1), live(3, { session: '2' })] }],
  'the last message is lost, too': ['lost', { heard: [live(1), live(2)] }],
  'a message that is live twice is twice': ['twice', { heard: [live(1), live(2), live(2), live(3)] }],
  'that is so in another session, too': ['twice', { heard: [live(1), live(2), live(2, { session: '2' }), live(3, { session: '2' })] }],
  'an older message after a newer one is out of order': ['out of order', { heard: [live(1), live(3, { session: '2' }), live(2, { session: '3' })] }],
  'a seq that is left out in one stay is a gap, even if a page has it': ['gap', { heard: [live(1), live(3), page(2)] }],
  'a seq that no message has is a hole': ['hole', { messages: [message(1), message(2), message(4)], sends: [], heard: [live(1), live(2), live(4, { session: '2' })] }],
  'a store that begins late has a hole': ['hole', { messages: [message(2)], sends: [], heard: [live(2)] }],
  'an acked message that is not stored is lost from the store': ['lost from the store', { sends: [send(1), send(2), send(3), send(4)] }],
  'a message that is stored twice': ['stored twice', { messages: [message(1), message(2), message(3, { clientId: 'c2' })], sends: [send(1)] }],
  'an ack with another seq is wrong': ['acked wrongly', { sends: [send(2, { acks: [{ at: 1, id: 'm2', seq: 1 }] })] }],
  'two acks with two ids': ['two acks', { sends: [send(2, { acks: [{ at: 1, id: 'm2', seq: 2 }, { at: 2, id: 'm3', seq: 3 }] })] }],
  'a message under another name': ['another author', { sends: [send(2, { user: 'carol' })] }],
  'two nodes with two orders differ': ['nodes differ', { others: [{ reader: 'node 1', messages: [message(1), message(3, { seq: 2 }), message(2, { seq: 3 })] }] }],
  'a device with another order has two numbers': ['two numbers', { heard: [live(1), live(2, { id: 'm3' }), live(3, { id: 'm2' })] }],
  'a message that is not stored is unknown': ['unknown', { heard: [live(1), live(2), live(3), live(4)] }],
  'a message of a room that was left is a stray': ['stray', { heard: [live(1), live(2), live(3), live(9, { feed: 'old' })] }],
  'an ack while the store is away': ['acked unstored', { away: [{ from: 150, until: 250 }] }],
};

const GOOD = {
  'all live': {},
  'all from pages, which overlap': { heard: [page(1), page(2), page(2), page(3)] },
  'a page, and live what it had': { heard: [page(1), page(2), live(2), live(3)] },
  'live, and a page that has it again': { heard: [live(1), live(2), page(2), page(3)] },
  'a page that comes after newer live ones, in a new stay': { heard: [live(1), live(3, { session: '2' }), page(2)] },
  'a message that was never acked and is stored': { sends: [send(1), send(2, { acks: [] })] },
  'a message that was never acked and is not stored': { sends: [send(9, { acks: [] })] },
  'an ack after the store was back': { away: [{ from: 150, until: 205 }] },
  'a message from before the store went, acked when asked again': { away: [{ from: 205, until: 300 }] },
  'one node of several': { others: [{ reader: 'node 1', messages: [1, 2, 3].map((n) => message(n)) }] },
};

describe('messages', () => {
  for (const [sentence, [kind, changes]] of Object.entries(BAD)) {
    test(sentence, () => {
      const faults = checkMessages(history(changes));
      assert.ok(kinds(faults).includes(kind), `found ${summary(faults) || 'nothing'}`);
    });
  }
  for (const [sentence, changes] of Object.entries(GOOD)) {
    test(`nothing is wrong with ${sentence}`, () => {
      assert.equal(summary(checkMessages(history(changes))), '');
    });
  }
});

const told = (at, status = 'offline', userId = 'alice') => ({ at, userId, status });
const on = (from, until = Infinity, node = 0) => ({ node, from, until });

/** Alice on node 0, an observer on node 1, a lease of 3 s and a grace of 1 s, over a minute. */
const record = ({ alice = [on(-1)], heard = [], observers, ...more } = {}) => ({
  from: 0,
  until: 60_000,
  users: { alice },
  downs: [],
  outages: [],
  observers: observers ?? [{ name: 'olga', node: 1, online: [on(-1)], heard }],
  graceMs: 1_000,
  leaseMs: 3_000,
  ...more,
});

const DEAD = { node: 0, from: 5_000, until: 20_000, isSure: true };
const CUT = { ...DEAD, isSure: false };
const ELSEWHERE = [on(-1, 5_050), on(5_200, Infinity, 2)];

const BAD_PRESENCE = {
  'offline though connected': ['false offline', { heard: [told(7_000), told(7_100, 'online')] }],
  'offline though another device is there': ['false offline', { alice: [on(-1, 5_000), on(-1, Infinity, 2)], heard: [told(7_000), told(7_100, 'online')] }],
  'offline after a reload': ['false offline', { alice: [on(-1, 5_000), on(5_200)], heard: [told(5_100), told(5_200, 'online')] }],
  'offline though back on another node before the lease ended': ['false offline', { alice: ELSEWHERE, downs: [DEAD], heard: [told(9_000)] }],
  'offline within the grace window': ['false offline', { alice: [on(-1, 5_000)], heard: [told(5_200)] }],
  'offline long after the return': ['false offline', { alice: [on(-1, 5_000), on(8_000)], heard: [told(30_000)] }],
  'offline twice': ['offline twice', { alice: [on(-1, 5_000)], heard: [told(6_500), told(7_500)] }],
  'never offline though the node died': ['no offline', { downs: [{ ...DEAD, until: 60_000 }] }],
  'never offline though the node died and came back without her': ['no offline', { alice: [on(-1, 5_050)], downs: [DEAD] }],
  'offline too late': ['no offline', { alice: [on(-1, 5_000)], heard: [told(18_500)] }],
  'not online after the return': ['no online', { alice: [on(-1, 5_000), on(9_000)], heard: [told(6_500)] }],
  'online though never offline': ['online twice', { heard: [told(7_000, 'online')] }],
};

const GOOD_PRESENCE = {
  'silence': {},
  'a device that went': { alice: [on(-1, 5_000)], heard: [told(6_100)] },
  'a node that died with her': { downs: [{ ...DEAD, until: 60_000 }], heard: [told(17_900)] },
  'a move to another node': { alice: ELSEWHERE, downs: [DEAD] },
  'a move that took longer than the lease': { alice: [on(-1, 5_050), on(12_000, Infinity, 2)], downs: [DEAD], heard: [told(8_100), told(12_050, 'online')] },
  'the same without a word': { alice: [on(-1, 5_050), on(12_000, Infinity, 2)], downs: [DEAD] },
  'a node that was cut off and taken for dead': { downs: [CUT], heard: [told(8_100), told(20_500, 'online')] },
  'a node that was cut off and not taken for dead': { downs: [CUT] },
  'a node that was held and came back': { downs: [{ ...DEAD, until: 12_000 }], heard: [told(8_100), told(12_500, 'online')] },
  'who left in an outage and is told of after it': { alice: [on(-1, 5_000)], outages: [{ from: 4_000, until: 30_000 }], heard: [told(34_000)] },
  'an observer that was away': { observers: [{ name: 'olga', node: 1, online: [on(-1, 4_000), on(5_000)], heard: [told(7_000)] }] },
  'an observer whose node was down': { downs: [{ ...DEAD, node: 1 }], heard: [told(7_000)] },
  'somebody else': { heard: [told(7_000, 'offline', 'bob')] },
};

describe('presence', () => {
  for (const [sentence, [kind, changes]] of Object.entries(BAD_PRESENCE)) {
    test(sentence, () => assert.ok(kinds(checkPresence(record(changes))).includes(kind), summary(checkPresence(record(changes)))));
  }
  for (const [sentence, changes] of Object.entries(GOOD_PRESENCE)) {
    test(`nothing is wrong with ${sentence}`, () => assert.equal(summary(checkPresence(record(changes))), ''));
  }

  test('what a node says is compared with what is true', () => {
    const says = { alice: { status: 'online', devices: 2 }, bob: { status: 'offline', devices: 0 } };
    assert.deepEqual(checkTruth('node 0', says, { alice: 2, bob: 0, carol: 0 }), []);
    assert.equal(checkTruth('node 0', says, { alice: 1 }).length, 1);
    assert.equal(checkTruth('node 0', says, { bob: 1 }).length, 1);
    assert.equal(checkTruth('node 0', says, { carol: 1 }).length, 1);
  });

  test('times are taken from times', () => {
    assert.deepEqual(without([{ from: 0, until: 10 }], [{ from: 2, until: 4 }, { from: 9, until: 12 }]), [{ from: 0, until: 2 }, { from: 4, until: 9 }]);
    assert.deepEqual(gaps([{ from: 1, until: 3 }, { from: 2, until: 5 }], { from: 0, until: 9 }), [{ from: 0, until: 1 }, { from: 5, until: 9 }]);
  });
});
