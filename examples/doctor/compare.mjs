// Runs checks on both servers, and compares what they saw.

import { CHECK_LIMIT_MS, within } from './limits.mjs';

export const SAME = 'same';
export const DIFFERS = 'differs';
export const ONLY_NODE = 'only Node';
export const ONLY_ROOMCAST = 'only Roomcast';
export const SKIPPED = 'not tried';
export const FAILED = 'failed';
const DIFFERENCES = new Set([DIFFERS, ONLY_NODE, ONLY_ROOMCAST]);

export const isDifference = ({ verdict, isAccepted }) => DIFFERENCES.has(verdict) && !isAccepted;

/** Rejects unless both are Socket.IO servers that a client can talk to. */
export async function reachBoth(sides) {
  for (const step of ['reach', 'findParser']) {
    await Promise.all(sides.map((side) => named(side, () => side[step]())));
  }
}

async function named(side, run) {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${side.name} at ${side.url} ${error.message}`);
  } finally {
    await side.close();
  }
}

/** The lines of all checks; ends early where a server has gone. */
export async function compare(checks, sides, accepted) {
  const lines = [];
  for (const batch of batches(checks)) {
    const found = (await Promise.all(batch.map((check) => examine(check, sides)))).flat();
    await Promise.all(sides.map((side) => side.close()));
    if (found.some(({ verdict }) => verdict === FAILED)) await reachBoth(sides);
    lines.push(...found.map((line) => ({ ...line, isAccepted: isAccepted(line, accepted) })));
  }
  return lines;
}

/** What runs side by side: checks that listen to what comes by itself run alone, so as not to hear others. */
function batches(checks) {
  const all = [];
  let others;
  for (const check of checks) {
    if (check.listens || !others) all.push((others = []));
    others.push(check);
    if (check.listens) others = undefined;
  }
  return all;
}

async function examine(check, sides) {
  const [node, roomcast] = await Promise.all(sides.map((side) => observe(check, side)));
  return linesOf(check, node, roomcast);
}

/** What a check saw of a server, or why it saw nothing. */
async function observe(check, side) {
  try {
    return { seen: await within(CHECK_LIMIT_MS, check.observe(side), `${check.name} on ${side.name}`) };
  } catch (error) {
    return { failed: error.message || error.code };
  }
}

const isAccepted = ({ check, what }, accepted) =>
  accepted.includes(check) || accepted.includes(`${check}.${what}`);

function linesOf(check, node, roomcast) {
  if (node.failed || roomcast.failed) {
    const text = ({ failed }) => (failed ? `failed: ${failed}` : 'could be seen');
    return [{ check: check.name, what: '', verdict: FAILED, node: text(node), roomcast: text(roomcast) }];
  }
  const names = Object.keys({ ...node.seen, ...roomcast.seen });
  return names.map((what) => lineOf(check, what, node.seen[what], roomcast.seen[what])).filter(Boolean);
}

function lineOf(check, what, node, roomcast) {
  if (node === undefined && roomcast === undefined) return undefined;
  const why = [['Node', node], ['Roomcast', roomcast]].filter(([, value]) => value?.notTried);
  if (why.length) return { check: check.name, what, verdict: SKIPPED, because: because(why) };
  const line = { check: check.name, what, node, roomcast };
  if (node === roomcast) return { ...line, verdict: SAME };
  const verdict = node === undefined ? ONLY_ROOMCAST : roomcast === undefined ? ONLY_NODE : DIFFERS;
  const advise = check.advice?.[what] ?? check.advise ?? (() => check.otherwise);
  return { ...line, verdict, ...advise(node, roomcast) };
}

const because = (why) => why.map(([name, { notTried }]) => `${name}: ${notTried}`).join('; ');
