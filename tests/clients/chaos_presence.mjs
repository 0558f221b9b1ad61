// What is wrong with what observers heard of presence. Pure functions, as those about messages.
//
// A record is
//   from, until   the time that is judged; all users were online when it began
//   users         {user: [{node, from, until}]}: when each device was connected, and to which node
//   downs         [{node, from, until, isSure}]: when a node could not serve: dead or held (sure), or
//                 alive and cut off from the others, which cannot tell (not sure)
//   outages       [{from, until}]: when Redis or the store was away, and nothing could be told
//   observers     [{name, node, online: [{from, until}], heard: [{at, userId, status}]}]
//   graceMs, leaseMs
//
// What is asked of it, for each observer that stayed connected to a node that was never down:
// - A user is offline only while, by what the devices know, none of them was connected to a node that
//   serves, for as long as a reload may take (grace) or a node may be silent (half a lease, since it
//   ran when the node was last heard of), and once in each such time. What a device's node may say of
//   itself is not known, so that one that is alive and cut off may be taken for dead, or not.
// - Who was away for good, or longer than the lease and 10 s, was offline in that time; outages that
//   lie in it do not count.
// - Who came back after that was told of is told of as online, and nobody is online twice.

/** How late an event may be that a node has sent in time. */
const SLACK_MS = 2_000;
/** How much later than its lease the end of a node may be told. */
const LATER_MS = 10_000;

const fault = (kind, text) => ({ kind, text: `${kind}: ${text}` });

/** These times without those. */
export function without(times, taken) {
  let left = times;
  for (const { from, until } of taken) {
    left = left.flatMap((one) => [
      { ...one, until: Math.min(one.until, from) },
      { ...one, from: Math.max(one.from, until) },
    ].filter((part) => part.from < part.until));
  }
  return left;
}

/** When nothing of these times was, within these bounds. */
export const gaps = (times, bounds) => without([bounds], times);

const overlaps = (one, other) => one.from < other.until && other.from < one.until;

/** A device is there while its node serves. */
const served = (online, downs) =>
  online.flatMap((one) => without([one], downs.filter(({ node }) => node === one.node)));

/** Until when at the latest the end of a user's presence is told. */
export function deadline(gap, { outages, leaseMs, graceMs }) {
  const limit = Math.max(leaseMs, graceMs) + LATER_MS;
  // What began to be away in an outage, or was still counted then, is counted from its end.
  return outages.reduce(
    (at, { from, until }) => (from < at && until > gap.from ? Math.max(at, until + limit) : at),
    gap.from + limit,
  );
}

/** For each user, the times in which it may, and in which it must, be told to be offline. */
export function absences(record) {
  const { from, until, users, downs } = record;
  const sure = downs.filter(({ isSure }) => isSure);
  return Object.entries(users).map(([user, online]) => ({
    user,
    may: gaps(served(online, downs), { from, until }),
    must: gaps(served(online, sure), { from, until })
      .map((gap) => ({ ...gap, by: deadline(gap, record) }))
      .filter((gap) => gap.until >= until || gap.until > gap.by),
  }));
}

/** Those that heard everything that their node heard, and whose node heard everything. */
export function steady({ from, until, downs, observers }) {
  return observers.filter(({ node, online }) =>
    online.some((one) => one.from <= from && one.until >= until)
    && !downs.some((down) => down.node === node && overlaps(down, { from, until })));
}

function* userFaults({ user, may, must }, heard, { name, outages, soonestMs, from }) {
  const ofUser = heard.filter(({ userId }) => userId === user);
  const latest = (gap) =>
    Math.max(gap.until, ...outages.filter((one) => overlaps(one, gap)).map((one) => one.until)) + SLACK_MS;
  const told = new Map();
  let last = 'online';
  for (const { at, status } of ofUser) {
    const when = `${name}, at ${at - from} ms, about ${user}`;
    if (status === 'offline') {
      const gap = may.find((one) => at >= one.from + soonestMs && at <= latest(one));
      if (!gap) yield fault('false offline', when);
      else if (told.has(gap)) yield fault('offline twice', when);
      else told.set(gap, at);
    } else if (last !== 'offline') {
      yield fault('online twice', when);
    }
    last = status;
  }
  for (const gap of must) {
    const isTold = ofUser.some(({ at, status }) => status === 'offline' && at >= gap.from && at <= gap.by);
    if (!isTold) yield fault('no offline', `${name}, about ${user}, who was away from ${gap.from - from} ms on`);
  }
  for (const [gap, at] of told) {
    const isBack = ofUser.some((one) => one.status !== 'offline' && one.at >= at && one.at <= latest(gap));
    if (gap.until !== Infinity && gap.until < gap.end && !isBack) {
      yield fault('no online', `${name}, about ${user}, who was back at ${gap.until - from} ms`);
    }
  }
}

/** Every fault of the record. */
export function checkPresence(record) {
  const soonestMs = Math.min(record.graceMs, record.leaseMs / 2) - 100;
  const faults = [];
  for (const { name, heard } of steady(record)) {
    for (const absence of absences(record)) {
      const within = heard.filter(({ at }) => at >= record.from && at <= record.until);
      const may = absence.may.map((gap) => ({ ...gap, end: record.until }));
      faults.push(...userFaults({ ...absence, may }, within, { ...record, name, soonestMs }));
    }
  }
  return faults;
}

/** Where what a node says of its users differs from what is true. */
export function checkTruth(reader, presence, devices) {
  return Object.entries(devices).flatMap(([user, count]) => {
    const { status = 'offline', devices: found = 0 } = presence?.[user] ?? {};
    const expected = count > 0 ? 'online' : 'offline';
    if (status === expected && found === count) return [];
    return [fault('presence', `${reader} says ${user} is ${status} with ${found} devices, not ${expected} with ${count}`)];
  });
}
