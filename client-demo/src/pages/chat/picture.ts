// Pictures: made small enough to send, and shown again.

/** How a picture travels: its bytes are binary on the socket, never text. */
export interface Picture {
  kind: 'picture';
  name: string;
  type: string;
  /** In pixels, so that its place is kept before it is drawn. */
  width: number;
  height: number;
  data: Uint8Array;
}

/** Well below the 1,000,000 bytes that the server takes in a message by default. */
const MAX_BYTES = 700_000;
const MAX_SIDE_PX = 1_600;
const QUALITIES = [0.85, 0.7, 0.5, 0.3];
const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'];

/** As it is where it is small, else drawn anew, smaller. */
export async function preparePicture(file: File): Promise<Picture> {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is not a picture that this browser can show`);
  });
  const { width, height } = image;
  const isSmall = file.size <= MAX_BYTES && Math.max(width, height) <= MAX_SIDE_PX;
  if (isSmall && TYPES.includes(file.type)) {
    return picture(file.name, file, width, height);
  }
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  for (const quality of QUALITIES) {
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/webp', quality));
    if (blob && blob.size <= MAX_BYTES) return picture(file.name, blob, canvas.width, canvas.height);
  }
  throw new Error(`${file.name} is too large`);
}

async function picture(name: string, blob: Blob, width: number, height: number): Promise<Picture> {
  const data = new Uint8Array(await blob.arrayBuffer());
  return { kind: 'picture', name, type: blob.type, width, height, data };
}

/** The picture in an attachment, if it is one: bytes from a socket, base64 from a page of history. */
export function pictureIn(attachment: unknown): Picture | null {
  const { kind, name, type, width, height, data } = (attachment ?? {}) as Record<string, unknown>;
  const bytes = bytesOf(data);
  if (kind !== 'picture' || !bytes || typeof type !== 'string' || !TYPES.includes(type)) return null;
  if (typeof width !== 'number' || typeof height !== 'number' || !(width > 0 && height > 0)) return null;
  return { kind, name: String(name), type, width, height, data: bytes };
}

function bytesOf(data: unknown): Uint8Array | null {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  const { base64 } = (data ?? {}) as { base64?: unknown };
  if (typeof base64 !== 'string') return null;
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
