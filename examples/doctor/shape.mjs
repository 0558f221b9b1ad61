// What a value is made of, without what it says: two servers give other ids, times and numbers.

const MAX_DEPTH = 5;
const MAX_KEYS = 40;
const MAX_TEXT = 120;
/** What clients compare with: under these names the text itself counts. */
const TOLD_APART_BY = new Set(['code', 'error', 'status']);

/** A text such as `{code: "not_found", ok: false}` or `{messages: [{id: string}]}`. */
export function shape(value, { key, depth = 0 } = {}) {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && TOLD_APART_BY.has(key)) return JSON.stringify(value.slice(0, MAX_TEXT));
  if (typeof value !== 'object') return value === undefined ? 'nothing' : typeof value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'binary';
  if (depth === MAX_DEPTH) return '…';
  const inside = (one, name) => shape(one, { key: name, depth: depth + 1 });
  if (Array.isArray(value)) return `[${[...new Set(value.map((one) => inside(one)))].sort().join(' | ')}]`;
  const keys = Object.keys(value).sort();
  const parts = keys.slice(0, MAX_KEYS).map((name) => `${name}: ${inside(value[name], name)}`);
  return `{${parts.concat(keys.length > MAX_KEYS ? '…' : []).join(', ')}}`;
}

/** Whether the second ack has all that the first has, so that who reads the one can read the other. */
export function covers(node, roomcast) {
  const [wanted, offered] = [node, roomcast].map((ack) => /^ack\(\{(.*)\}\)$/.exec(ack)?.[1]);
  return wanted !== undefined && offered !== undefined && isSubset(fields(wanted), fields(offered));
}

const isSubset = (some, all) => some.every((one) => all.includes(one));

/** The fields of an object's shape, with their shapes. */
function fields(text) {
  const found = [];
  let depth = 0;
  let from = 0;
  `${text},`.split('').forEach((char, at) => {
    if ('{['.includes(char)) depth += 1;
    if ('}]'.includes(char)) depth -= 1;
    if (char !== ',' || depth > 0) return;
    found.push(text.slice(from, at).trim());
    from = at + 1;
  });
  return found;
}

/** The arguments of an ack or event. */
export const shapes = (args) => args.map((one) => shape(one)).join(', ');

/** Each event that was heard, once, whatever their order. */
export function heardShapes(heard) {
  const all = new Set(heard.map(({ event, args }) => `${event}(${shapes(args)})`));
  return all.size ? [...all].sort().join(', ') : 'nothing';
}
