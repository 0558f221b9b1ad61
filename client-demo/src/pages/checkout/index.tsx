// Checkout: a payment whose outcome comes by itself, whatever happens in between.

import { useEffect, useState } from 'react';

import { useStore } from '../../lib/store';
import { useSocket } from '../../session/useSocket';
import { useUsersWith, type User } from '../../session/users';
import { setParams, useRoute } from '../../shell/route';
import { PageHead, Panel } from '../../ui/Panel';
import { Segments } from '../../ui/Segments';
import { Basket } from './Basket';
import css from './Checkout.module.css';
import { Earlier } from './Earlier';
import { pendingOf } from './payments';
import { Progress } from './Progress';
import { Till } from './till';

const GUEST = 'guest';

export default function Checkout() {
  const people = useUsersWith();
  const { params } = useRoute();
  const as = params.get('as');
  const user = as === GUEST ? null : (people.find(({ userId }) => userId === as) ?? people[0] ?? null);
  const choices = people.map(({ userId, name }) => ({ value: userId, label: name }));
  const actions = (
    <Segments
      legend="You are"
      value={user?.userId ?? GUEST}
      options={[...choices, { value: GUEST, label: 'A guest' }]}
      onChange={(who) => setParams({ as: who })}
    />
  );
  return (
    <>
      <PageHead title="Checkout" actions={actions}>
        The shop answers at once and the bank takes its time. Its answer comes over the socket, without
        polling, and a signed-in user gets it after a reload or a lost connection, too.
      </PageHead>
      <Pay key={user?.userId ?? GUEST} user={user} />
    </>
  );
}

function Pay({ user }: { user: User | null }) {
  const [backend] = useUsersWith('service');
  const [till] = useState(() => new Till(user, backend));
  const { payments, isAsking, error } = useStore(till.store);
  const [socketId, setSocketId] = useState<string | null>(null);
  const connection = useSocket(user, {
    name: user?.name ?? 'Guest',
    events: {
      'socket-id': (id: string) => setSocketId(id),
      'payment-status': (isPaid: boolean) => till.heard(isPaid),
    },
    onSocket: (socket) => {
      socket.on('disconnect', () => {
        setSocketId(null);
        till.lost();
      });
    },
    onConnect: (socket) => till.connected(socket),
  });
  useEffect(() => till.begin(), [till]);
  const [shown, ...earlier] = payments;

  return (
    <div className={css.page}>
      <Basket
        isBusy={isAsking || pendingOf(payments) !== undefined}
        isConnected={socketId !== null && connection.link.phase === 'connected'}
        error={error}
        onPay={(amount, card) => socketId !== null && void till.pay(amount, card, socketId)}
      />
      <div className={css.side}>
        <Progress payment={shown} isGuest={!user} socketId={socketId} connection={connection} />
        <Panel title="Earlier payments" flush>
          <Earlier payments={earlier} />
        </Panel>
      </div>
    </div>
  );
}
