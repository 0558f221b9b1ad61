// One HTTP request without a library between: what the server's answer says, to the letter.

import http from 'node:http';
import https from 'node:https';

import { MAX_ANSWER_BYTES } from './limits.mjs';

/** Resolves with `{status, headers, text}`; a WebSocket that opens is 101, and closed at once. */
export function ask(url, { limitMs, method = 'GET', headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const sent = request(url, { method, headers, agent: false });
    const late = new Late(`${method} ${url} was not answered within ${limitMs} ms`);
    const timer = setTimeout(() => sent.destroy(late), limitMs);
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', reject);
    sent.on('upgrade', ({ statusCode, headers }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, headers, text: '' });
    });
    sent.on('response', (answer) => {
      answer.on('error', reject);
      const { statusCode: status, headers } = answer;
      read(answer).then((text) => resolve({ status, headers, text }), reject);
    });
    sent.end(body);
  });
}

/** As `ask`; a Node server without a handler for what is not its own leaves requests without an answer. */
export async function askForMore(url, limitMs) {
  try {
    return await ask(url, { limitMs });
  } catch (error) {
    if (!(error instanceof Late)) throw error;
    return { status: 'no answer', headers: {}, text: '' };
  }
}

class Late extends Error {}

async function read(answer) {
  const parts = [];
  let bytes = 0;
  for await (const part of answer) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer had more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
