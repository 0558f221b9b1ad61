// Requests to the server's HTTP routes.

import type { User } from '../session/users';

/** What the server refuses: its stable code, and its words for people. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status = 0,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

interface Options {
  /** Who asks; nobody, as a guest, unless given. */
  as?: User;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The answer's JSON; undefined where the answer has no body. Throws a `Refusal`. */
export async function api<T = unknown>(method: string, path: string, options: Options = {}): Promise<T> {
  const { as, body, headers, signal } = options;
  const response = await fetch(path, {
    method,
    signal,
    headers: {
      ...(as && { Authorization: `Bearer ${as.token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function refusal(response: Response): Promise<Refusal> {
  const problem = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get('Retry-After'));
  return new Refusal(
    problem.detail ?? problem.title ?? `The server answered ${response.status}`,
    problem.code ?? 'unknown',
    response.status,
    seconds > 0 ? seconds * 1_000 : undefined,
  );
}

/** In one line, what went wrong. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
