// Chat: one of the sample users, on one device or on two.

import { useState } from 'react';

import { setParams, useRoute } from '../../shell/route';
import { useUsersWith } from '../../session/users';
import { Button } from '../../ui/Button';
import { PageHead } from '../../ui/Panel';
import { Segments } from '../../ui/Segments';
import css from './Chat.module.css';
import { Device } from './Device';

export default function Chat() {
  const users = useUsersWith();
  const { params } = useRoute();
  const user = users.find(({ userId }) => userId === params.get('as')) ?? users[0];
  const [hasTwo, setHasTwo] = useState(params.get('devices') === '2');
  if (!user) return null;

  const actions = (
    <>
      <Segments
        legend="You are"
        value={user.userId}
        options={users.map(({ userId, name }) => ({ value: userId, label: name }))}
        onChange={(as) => setParams({ as })}
      />
      <Button
        className={css.second}
        icon="devices"
        aria-pressed={hasTwo}
        onClick={() => {
          setHasTwo(!hasTwo);
          setParams({ devices: hasTwo ? null : '2' });
        }}
      >
        <span>Second device</span>
      </Button>
    </>
  );
  const devices = hasTwo ? [1, 2] : [1];
  return (
    <div className={css.page}>
      <PageHead title="Chat" actions={actions}>
        Every message is acknowledged when it is stored, and is shown once and in order. Open a second
        window as somebody else, or cut the connection and see what happens.
      </PageHead>
      <div className={css.devices} data-count={devices.length}>
        {devices.map((n) => (
          <Device
            key={`${user.userId} ${n}`}
            user={user}
            users={users}
            name={hasTwo ? `${user.name}, device ${n}` : user.name}
          />
        ))}
      </div>
    </div>
  );
}
