// A picture that came with a message.

import { useEffect, useMemo, useState } from 'react';

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
  // Its size keeps the place while there is nothing to draw yet.
  return <img className={css.picture} src={url} alt={picture.name} width={picture.width} height={picture.height} />;
}
