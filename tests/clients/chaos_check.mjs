// What is wrong with a history of messages. Pure functions: a history goes in, faults come out.
//
// A history is
//   devices  [{name, user, feeds, heard}]: in which feeds (rooms, pairs) each device was all the time,
//            and what it heard, in that order: {feed, id, seq, clientId, session, isLive}
//   sends    [{feed, user, clientId, sentAt, acks: [{at, id, seq}]}]
//   stored   {feed: [{reader, messages: [{id, seq, clientId, userId}]}]}: what each node gives
//   away     [{from, until}]: when nothing could be stored
//
// What is asked of a history:
// - Every acked message is stored once, under the id and seq of its ack, and nothing is stored twice.
//   What was sent and never acked may be stored or not, but once.
// - In each room seq is 1, 2, 3 … without a gap, and every node gives the same.
// - Every device holds every message of its feeds, live or from a page, and nothing else.
// - Live, each device hears each message once and in the order of seq, across its reconnects too: a
//   node that takes a device in begins behind what is stored then. Within one stay (from a join to the
//   end of the session, its recoveries included), no seq of a room is left out. A device that sends a
//   direct message has it from the ack, which counts as a page; of pairs a stay may leave seqs out.
// - A page may hold what was, or will be, heard live, and pages may overlap: devices merge by id.
// - What was first sent while the store was away was not acked until it was back.

/** How often each key occurs. */
function tally(keys) {
  const counts = new Map();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

const group = (list, key) => {
  const groups = new Map();
  for (const one of list) {
    if (!groups.has(key(one))) groups.set(key(one), []);
    groups.get(key(one)).push(one);
  }
  return groups;
};

const isDirect = (feed) => feed.startsWith('direct ');

/** A fault has a kind, by which it is counted, and a sentence. */
const fault = (kind, text) => ({ kind, text: `${kind}: ${text}` });

function* storedFaults(feed, readings) {
  const [first, ...others] = readings;
  const { messages } = first;
  const wrongAt = messages.findIndex(({ seq }, n) => seq !== n + 1);
  if (wrongAt >= 0 && !isDirect(feed)) {
    yield fault('hole', `${feed} holds seq ${messages[wrongAt].seq} at place ${wrongAt + 1}`);
  }
  for (const [clientId, count] of tally(messages.map((one) => one.clientId))) {
    if (clientId !== undefined && count > 1) yield fault('stored twice', `${clientId} in ${feed}, ${count} times`);
  }
  const asText = (reading) => JSON.stringify(reading.map(({ id, seq, clientId }) => [id, seq, clientId]));
  for (const { reader, messages: found } of others) {
    if (asText(found) !== asText(messages)) yield fault('nodes differ', `${reader} and ${first.reader} about ${feed}`);
  }
}

function* sendFaults(send, stored, away) {
  const { feed, user, clientId, sentAt, acks } = send;
  if (acks.length === 0) return;
  for (const { from, until } of away) {
    const wasAway = (at) => at > from && at < until;
    if (wasAway(sentAt) && acks.some(({ at }) => wasAway(at))) {
      yield fault('acked unstored', `${clientId}, ${sentAt - from} ms after the store went away`);
    }
  }
  if (new Set(acks.map(({ id, seq }) => `${id} ${seq}`)).size > 1) yield fault('two acks', `${clientId} has several ids`);
  const message = stored.get(feed)?.byClientId.get(clientId);
  if (!message) {
    yield fault('lost from the store', `${clientId} in ${feed} was acked`);
  } else if (message.id !== acks[0].id || message.seq !== acks[0].seq) {
    yield fault('acked wrongly', `${clientId} is stored as ${message.seq}, acked as ${acks[0].seq}`);
  } else if (message.userId !== undefined && message.userId !== user) {
    yield fault('another author', `${clientId} of ${user} is ${message.userId}'s`);
  }
}

/** What one device heard in one feed. */
function* hearingFaults(name, feed, heard, stored) {
  const held = new Map();
  const live = new Set();
  let last;
  const lastOf = new Map();
  for (const { id, seq, session, isLive } of heard) {
    const known = held.get(id);
    if (known !== undefined && known !== seq) yield fault('two numbers', `${name} heard ${id} in ${feed} as ${known} and as ${seq}`);
    held.set(id, seq);
    if (!isLive) continue;
    if (live.has(id)) {
      yield fault('twice', `${name} heard ${seq} of ${feed} live again`);
      continue;
    }
    live.add(id);
    if (last !== undefined && seq <= last) yield fault('out of order', `${name} heard ${seq} of ${feed} after ${last}`);
    last = Math.max(last ?? 0, seq);
    const before = lastOf.get(session);
    if (before !== undefined && seq > before + 1 && !isDirect(feed)) yield fault('gap', `${name} heard ${seq} of ${feed} after ${before}, in one stay`);
    lastOf.set(session, Math.max(before ?? 0, seq));
  }
  for (const { id, seq } of stored) {
    if (!held.has(id)) yield fault('lost', `${name} never got ${seq} of ${feed}`);
    else if (held.get(id) !== seq) yield fault('two numbers', `${name} has ${seq} of ${feed} as ${held.get(id)}`);
  }
  const known = new Set(stored.map(({ id }) => id));
  for (const [id, seq] of held) if (!known.has(id)) yield fault('unknown', `${name} heard ${seq} of ${feed}, which is not stored`);
}

/** Every fault of the history. */
export function checkMessages({ devices, sends, stored, away = [] }) {
  const faults = [];
  const index = new Map();
  for (const [feed, readings] of Object.entries(stored)) {
    faults.push(...storedFaults(feed, readings));
    const { messages } = readings[0];
    index.set(feed, { messages, byClientId: new Map(messages.map((one) => [one.clientId, one])) });
  }
  for (const send of sends) faults.push(...sendFaults(send, index, away));
  for (const { name, feeds, heard } of devices) {
    const byFeed = group(heard, ({ feed }) => feed);
    for (const feed of feeds) {
      faults.push(...hearingFaults(name, feed, byFeed.get(feed) ?? [], index.get(feed)?.messages ?? []));
    }
    for (const [feed, list] of byFeed) {
      if (feeds.includes(feed)) continue;
      faults.push(fault('stray', `${name} heard ${list.length} of ${feed}, where it is not or no longer`));
    }
  }
  return faults;
}

/** The faults in few words: how many of each kind, and some of each in full. */
export function summary(faults, examples = 4) {
  const kinds = group(faults, ({ kind }) => kind);
  return [...kinds].flatMap(([kind, list]) => [
    `${list.length} × ${kind}`,
    ...list.slice(0, examples).map(({ text }) => `  ${text}`),
  ]).join('\n');
}
