// What a backend was told by webhooks, as one story of each socket, room and user.

import assert from 'node:assert/strict';

import { HOOK_SECRET } from './http_backend.mjs';
import { eventually } from './observe.mjs';

export const PATH = '/hooks';
/** Longer than a backend takes that answers. */
const AMPLE_MS = 20_000;

/** Settings with which the backend is told all, and tried again soon. */
export const told = (backend, more = {}) => ({
  ROOMCAST_WEBHOOKS__URL: backend.url(PATH),
  ROOMCAST_WEBHOOKS__SECRET: HOOK_SECRET,
  ROOMCAST_WEBHOOKS__TIMEOUT_MS: String(AMPLE_MS),
  ROOMCAST_WEBHOOKS__CONNECT_TIMEOUT_MS: String(AMPLE_MS),
  ROOMCAST_WEBHOOKS__BACKOFF_MS: '50',
  ROOMCAST_WEBHOOKS__BACKOFF_MAX_MS: '200',
  ...more,
});

/** What the backend was told of one thing, each once, in the order of versions: `type` and more. */
export function storyOf(backend, fits, show = ({ type }) => type) {
  const once = new Map(backend.bodies(PATH, ({ data }) => fits(data)).map((hook) => [hook.id, hook]));
  return [...once.values()].sort((a, b) => a.version - b.version).map(show);
}

export const ofUser = (user) => ({ userId, status }) => userId === user.id && status !== undefined;
export const ofRoom = (room) => ({ roomId }) => roomId === room;
export const ofSocket = (id) => ({ socketId }) => socketId === id;
export const status = ({ data }) => data.status;

/** Resolves once this was told, and nothing else. */
export const tells = (backend, fits, expected, show, withinMs) =>
  eventually(() => {
    const story = storyOf(backend, fits, show);
    return story.length >= expected.length && (assert.deepEqual(story, expected), true);
  }, `it is told ${expected}`, withinMs).catch((error) => {
    throw new Error(`${error.message}; it was told ${storyOf(backend, fits, show)}`);
  });
