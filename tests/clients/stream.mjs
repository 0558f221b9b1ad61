// An event stream as it is on the wire.

import assert from 'node:assert/strict';

const WAIT_MS = 10_000;

export class EventStream {
  #blocks;
  #limit = new AbortController();

  /** Opens the stream as this user, who has seen everything up to that event. */
  static async open(w, path, user, lastEventId) {
    const stream = new EventStream();
    const headers = { authorization: `Bearer ${user.token}` };
    if (lastEventId) headers['last-event-id'] = lastEventId;
    const { signal } = stream.#limit;
    const response = await fetch(w.url + path, { headers, signal });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    stream.#blocks = blocks(response.body);
    return stream;
  }

  /** All events from here up to and with the first that fits. */
  async through(fits) {
    const timer = setTimeout(() => this.#limit.abort(new Error('no such event on the stream')), WAIT_MS);
    const events = [];
    do {
      const { value, done } = await this.#blocks.next();
      assert.ok(!done, 'the stream ended');
      const event = parse(value);
      if (event.data !== undefined) events.push(event);
    } while (!events.length || !fits(events.at(-1)));
    clearTimeout(timer);
    return events;
  }

  close() {
    this.#limit.abort();
  }
}

/** What stands between empty lines. */
async function* blocks(body) {
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    const ended = (text + part).split('\n\n');
    text = ended.pop();
    yield* ended;
  }
}

function parse(block) {
  const field = (name) =>
    block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const data = field('data');
  return { id: field('id'), event: field('event'), data: data && JSON.parse(data) };
}

/** What a stream says from this event on, up to the first that fits. */
export async function readThrough(w, path, user, lastEventId, fits) {
  const stream = await EventStream.open(w, path, user, lastEventId);
  try {
    return await stream.through(fits);
  } finally {
    stream.close();
  }
}
