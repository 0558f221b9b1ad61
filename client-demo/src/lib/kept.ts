// What a browser remembers for a page, from one visit to the next.

const PREFIX = 'roomcast-';

/** A remembered value under this name; `fits` says whether what was found is one. */
export function kept<T>(name: string, fits: (value: unknown) => value is T) {
  const key = PREFIX + name;
  const parse = (text: string | null): T | null => {
    try {
      const value: unknown = JSON.parse(text ?? 'null');
      return fits(value) ? value : null;
    } catch {
      return null;
    }
  };
  return {
    read(): T | null {
      try {
        return parse(localStorage.getItem(key));
      } catch {
        // A browser that keeps nothing.
        return null;
      }
    },
    write(value: T): void {
      try {
        localStorage.setItem(key, JSON.stringify(value));
      } catch {
        // It holds until the page is left.
      }
    },
    /** Calls back when another window of this browser writes it. */
    follow(listener: (value: T) => void): () => void {
      const heard = (event: StorageEvent) => {
        const value = event.key === key ? parse(event.newValue) : null;
        if (value !== null) listener(value);
      };
      addEventListener('storage', heard);
      return () => removeEventListener('storage', heard);
    },
  };
}
