// What the server says about chat, as far as this page uses it.

import type { Status } from '../../ui/Small';

export interface Message {
  id: string;
  seq: number;
  roomId: string;
  userId: string;
  username: string;
  content: string;
  createdAt: string;
  clientId?: string;
  attachment?: unknown;
  editedAt?: string;
  deletedAt?: string;
}

export interface MessagePage {
  messages: Message[];
  hasMore: boolean;
  verdict: 'complete' | 'gap' | 'reset';
}

export interface Entered {
  lastSeq: number;
  unread: number;
  members: string[];
}

export interface Receipt {
  userId: string;
  roomId: string;
  messageId: string;
}

export interface Person {
  userId: string;
  username: string;
  roomId: string;
}

export interface Typist extends Person {
  typing: boolean;
}

export interface Changed {
  userId: string;
  status: Status;
}

export interface Presences {
  presence: Record<string, { status: Status }>;
}
