// What one device knows of its user's notifications.

import { createStore } from '../../lib/store';

/**
 * The event that says what has been read. It is an entry of the same feed, so every device of the
 * user hears it, those that come later too; the server need not know what it means.
 */
export const READ = 'notifications-read';
export const NOTIFICATION = 'notification';

export interface Note {
  id: string;
  title: string;
  text: string;
  at: Date;
}

export interface Inbox {
  /** The newest first. */
  notes: Note[];
  read: ReadonlySet<string>;
}

type Fields = Record<string, unknown>;

const MOST_NOTES = 50;

export class InboxLog {
  readonly store = createStore<Inbox>({ notes: [], read: new Set() });
  /** Whether what was stored before has been read. */
  isLoaded = false;
  /** The last entry that was seen since: where a device that was away goes on. */
  lastId: string | null = null;
  #known = new Set<string>();

  /** Takes an entry of the feed; whether it is a notification that was not known. */
  take(event: string, fields: Fields): boolean {
    const id = String(fields.entryId ?? fields.id);
    if (this.#known.has(id)) return false;
    this.#known.add(id);
    this.lastId = id;
    if (event === READ && Array.isArray(fields.ids)) this.mark(fields.ids.map(String), true);
    if (event !== NOTIFICATION) return false;
    const note = readNote(id, fields);
    this.store.set((now) => {
      // Ids rise with time: what came live while the list was being read has its place.
      const notes = [note, ...now.notes].toSorted((a, b) => (a.id < b.id ? 1 : -1));
      return { ...now, notes: notes.slice(0, MOST_NOTES) };
    });
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.isLoaded = false;
    this.lastId = null;
    this.#known.clear();
    this.store.set({ notes: [], read: new Set() });
  }

  mark(ids: string[], isRead: boolean): void {
    this.store.set((now) => {
      const read = new Set(now.read);
      ids.forEach((id) => (isRead ? read.add(id) : read.delete(id)));
      return { ...now, read };
    });
  }
}

/** The demo's own, or whatever a backend has posted. */
function readNote(id: string, fields: Fields): Note {
  const { title, text, message, createdAt, userId: _, id: _id, event: _event, seq: _seq, ...rest } = fields;
  const words = [title, text, message].filter((one) => typeof one === 'string');
  const [first = JSON.stringify(rest), ...others] = words;
  return { id, title: first, text: others.join(' '), at: new Date(String(createdAt)) };
}
