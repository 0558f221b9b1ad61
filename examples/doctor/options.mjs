// What the command line says.

import { parseArgs } from 'node:util';

import { LIMIT_MS, WAIT_MS } from './limits.mjs';

export const USAGE = `usage: node examples/doctor --node-server URL --roomcast URL [options]

Connects to a Node server and to Roomcast as your clients do, and prints what differs.

  --path PATH           where both are, /socket.io unless it is said
  --roomcast-path PATH  where Roomcast is, if elsewhere
  --token TOKEN         sent as auth: { token }; better in the variable TOKEN, where no process list shows it
  --auth JSON           sent as auth, instead; or in the variable AUTH
  --origin ORIGIN       the origin of your pages, for CORS
  --event NAME[:JSON]   an event of yours with its arguments, as often as you like: 'join:room:"r1"',
                        'move:3,{"to":"b4"}'; {"$bytes":16} is so many bytes of binary. What it does, it does
  --checks A,B          these only
  --accept A,B.C        differences that are fine: of a whole check, or of one of its lines
  --wait-ms MS          how long an ack is waited for, ${WAIT_MS} unless it is said
  --limit-ms MS         how long a request or connection may take, ${LIMIT_MS} unless it is said
  --json                for machines
  --list                the names of the checks

It ends with 0 where both are the same, 1 where something differs, 2 where it could not find out.
`;

const OPTIONS = {
  'node-server': { type: 'string' },
  roomcast: { type: 'string' },
  path: { type: 'string', default: '/socket.io' },
  'roomcast-path': { type: 'string' },
  token: { type: 'string' },
  auth: { type: 'string' },
  origin: { type: 'string' },
  event: { type: 'string', multiple: true, default: [] },
  checks: { type: 'string' },
  accept: { type: 'string', default: '' },
  'wait-ms': { type: 'string', default: String(WAIT_MS) },
  'limit-ms': { type: 'string', default: String(LIMIT_MS) },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** A mistake of whoever typed the command. */
export class UsageError extends Error {}

const names = (text) => text.split(',').map((name) => name.trim()).filter(Boolean);

/** The options, checked; `checks` are the names of those that there are. */
export function readOptions(args, env, checks) {
  const given = parsed(args);
  if (given.help || given.list) return given;
  const picked = given.checks === undefined ? checks : names(given.checks);
  const unknown = picked.find((name) => !checks.includes(name));
  if (unknown) throw new UsageError(`there is no check ${unknown}; there are ${checks.join(', ')}`);
  if (picked.length === 0) throw new UsageError('--checks names no check');
  return {
    node: { url: address(given, 'node-server'), path: given.path },
    roomcast: { url: address(given, 'roomcast'), path: given['roomcast-path'] ?? given.path },
    auth: auth(given, env),
    origin: given.origin && origin(given.origin),
    events: given.event.map(event),
    checks: picked,
    accepted: names(given.accept),
    waitMs: milliseconds(given, 'wait-ms'),
    limitMs: milliseconds(given, 'limit-ms'),
    json: given.json,
  };
}

function parsed(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function address(given, option) {
  const text = given[option];
  if (!text) throw new UsageError(`--${option} is missing`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError(`--${option} wants an http(s) address`);
  if (url.username || url.password) throw new UsageError(`--${option} takes no user and no password`);
  if (url.pathname !== '/') throw new UsageError(`--${option} takes no path; that is what --path is for`);
  return url.origin;
}

function origin(text) {
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    throw new UsageError('--origin wants scheme://host or scheme://host:port');
  }
  return text;
}

function auth({ token, auth }, env) {
  const [json, plain] = token || auth ? [auth, token] : [env.AUTH, env.TOKEN];
  if (!json) return plain ? { token: plain } : undefined;
  const value = json_(json);
  if (typeof value !== 'object' || value === null) throw new UsageError('--auth wants a JSON object');
  return plain ? { token: plain, ...value } : value;
}

function json_(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function milliseconds(given, option) {
  if (!/^[1-9]\d{0,4}$/.test(given[option])) throw new UsageError(`--${option} wants 1 to 99999`);
  return Number(given[option]);
}

/** Names have colons too: the arguments begin after the first one that JSON follows. */
function event(text) {
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) {
    const args = json_(`[${text.slice(at + 1)}]`);
    if (args && at > 0) return { name: text.slice(0, at), args: args.map(withBytes) };
  }
  return { name: text, args: [] };
}

/** Binary stands in JSON as `{"$bytes": 16}`. */
function withBytes(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withBytes);
  if (Number.isInteger(value.$bytes)) return Buffer.alloc(value.$bytes, 7);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withBytes(one)]));
}
