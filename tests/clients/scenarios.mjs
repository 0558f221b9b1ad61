// Every scenario: a sentence of the contract and how to see that it is true.

import backend from './scenarios/backend.mjs';
import badInput from './scenarios/bad_input.mjs';
import bundle from './scenarios/bundle.mjs';
import chat from './scenarios/chat.mjs';
import direct from './scenarios/direct.mjs';
import history from './scenarios/history.mjs';
import identity from './scenarios/identity.mjs';
import notifications from './scenarios/notifications.mjs';
import operations from './scenarios/operations.mjs';
import orders from './scenarios/orders.mjs';
import origins from './scenarios/origins.mjs';
import payments from './scenarios/payments.mjs';
import presence from './scenarios/presence.mjs';
import products from './scenarios/products.mjs';
import rooms from './scenarios/rooms.mjs';
import routes from './scenarios/routes.mjs';
import sync from './scenarios/sync.mjs';
import tracking from './scenarios/tracking.mjs';
import typing from './scenarios/typing.mjs';

/** What clients do over sockets, and what belongs to it. */
export const SPOKEN = [
  identity, rooms, chat, typing, presence, direct, history,
  tracking, products, payments, backend, badInput,
  notifications, orders, sync,
].flat();
/** What is asked over HTTP alone. */
export const HTTP_ONLY = [operations, bundle, origins, routes].flat();
