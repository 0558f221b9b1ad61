// Pays, and shows the outcome as soon as the server pushes it.
//
//   <Payment amount={49.9} token={token} />
//
// Guests have no token. Who is signed in gets the outcome even if the page is reloaded in between.

import axios from 'axios';
import { useEffect, useState } from 'react';
import { io } from 'socket.io-client';

const SERVER = import.meta.env.VITE_SERVER_URL;
const socket = io(SERVER, { autoConnect: false });

const TEXTS = {
  processing: 'Processing your payment…',
  succeeded: 'Payment succeeded',
  failed: 'Payment failed',
  refused: 'The payment could not be sent, please try again',
};

export function Payment({ amount, token }) {
  const [socketId, setSocketId] = useState(null);
  const [status, setStatus] = useState(null);

  useEffect(() => {
    const onStatus = (isPaid) => setStatus(isPaid ? 'succeeded' : 'failed');
    const onDisconnect = () => setSocketId(null);
    socket.on('socket-id', setSocketId);
    socket.on('payment-status', onStatus);
    socket.on('disconnect', onDisconnect);
    socket.auth = { token };
    socket.connect();
    return () => {
      socket.off('socket-id', setSocketId);
      socket.off('payment-status', onStatus);
      socket.off('disconnect', onDisconnect);
      socket.disconnect();
    };
  }, [token]);

  async function pay() {
    setStatus('processing');
    try {
      await axios.post(
        `${SERVER}/api/payments/make-payment-with-socket`,
        { amount, socketId },
        { headers: token ? { Authorization: `Bearer ${token}` } : {} },
      );
    } catch {
      setStatus('refused');
    }
  }

  return (
    <section>
      <button onClick={pay} disabled={!socketId || status === 'processing'}>
        Pay {amount}
      </button>
      <p role="status">{TEXTS[status]}</p>
    </section>
  );
}
