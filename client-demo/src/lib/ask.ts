// An event whose answer is awaited.

import type { Socket } from 'socket.io-client';

import { Refusal } from './http';

const ANSWER_LIMIT_MS = 10_000;

interface Failure {
  ok: false;
  error: string;
  code: string;
  retryAfterMs?: number;
}

/** Emits, and resolves with the ack; throws a `Refusal` when it is a failure, an error without one. */
export async function ask<T = object>(socket: Socket, event: string, ...args: unknown[]): Promise<T> {
  const ack = await socket.timeout(ANSWER_LIMIT_MS).emitWithAck(event, ...args) as { ok: true } | Failure;
  if (!ack.ok) throw new Refusal(ack.error, ack.code, 0, ack.retryAfterMs);
  return ack as T;
}
