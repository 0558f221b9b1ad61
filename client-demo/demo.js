// The demo page: chats in one room as one of the sample users, over the stock Socket.IO client.
import { Session } from './session.js';
import { byId, element, showState } from './view.js';

const input = byId('text');

let session = null;

function signIn(user, users) {
  session?.close();
  session = new Session(user, users, () => signInAgain(user));
  const url = new URL(location.href);
  url.searchParams.set('as', user.userId);
  history.replaceState(null, '', url);
}

/** A server that was started anew signs its sample users' tokens with another secret. */
async function signInAgain({ userId }) {
  const users = await sampleUsers();
  const user = users.find((other) => other.userId === userId);
  if (user && user.token !== session.user.token) signIn(user, users);
  else showState('failed', 'Refused: Invalid token');
}

async function sampleUsers() {
  const answer = await fetch('/demo/users');
  return answer.json();
}

function offerUsers(users) {
  const wanted = new URLSearchParams(location.search).get('as');
  const first = users.find((user) => user.userId === wanted) ?? users[0];
  for (const user of users) {
    const label = element('label');
    const radio = element('input');
    radio.type = 'radio';
    radio.name = 'user';
    radio.checked = user === first;
    radio.addEventListener('change', () => signIn(user, users));
    label.append(radio, element('span', '', user.name));
    byId('users').append(label);
  }
  signIn(first, users);
}

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const content = input.value.trim();
  if (!content || !session) return;
  input.value = '';
  session.send(content);
});
input.addEventListener('input', () => (input.value ? session?.typed() : session?.stoppedTyping()));
byId('earlier').addEventListener('click', () => session?.showEarlier());

async function start() {
  if (typeof io === 'undefined') {
    showState('failed', 'This server was built without the Socket.IO client');
    return;
  }
  try {
    offerUsers(await sampleUsers());
  } catch {
    showState('failed', 'The sample users could not be loaded');
  }
}

start();
