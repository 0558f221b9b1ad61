// A picture that came with a message.

import { useEffect, useMemo, useState, type CSSProperties } from 'react';

import css from './Chat.module.css';
import { pictureIn } from './picture';

/** An image that is still being read when its address ends is an error in the console. */
const ADDRESS_ENDS_AFTER_MS = 10_000;

export function PictureView({ attachment }: { attachment: unknown }) {
  const picture = useMemo(() => pictureIn(attachment), [attachment]);
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!picture) return undefined;
    const made = URL.createObjectURL(new Blob([picture.data as BlobPart], { type: picture.type }));
    setUrl(made);
    return () => void setTimeout(() => URL.revokeObjectURL(made), ADDRESS_ENDS_AFTER_MS);
  }, [picture]);
  if (!picture) return null;
  // Its place is kept while there is nothing to draw yet.
  const { name, width, height } = picture;
  const place = { '--width': `${width}px`, '--ratio': width / height } as CSSProperties;
  return <span className={css.picture} style={place}>{url && <img src={url} alt={name} />}</span>;
}
