// What the server says about chat, as far as this page uses it.

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

export interface Typist {
  userId: string;
  username: string;
  typing: boolean;
  roomId: string;
}
