// What the demo page puts on screen. Texts go in as text nodes only, never as markup.

export const byId = (id) => document.getElementById(id);

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function showState(state, text) {
  byId('connection').dataset.state = state;
  byId('connection').textContent = text;
}

export function showTyping(names) {
  const who = names.length > 3 ? 'Several people' : names.join(' and ');
  const verb = names.length === 1 ? 'is' : 'are';
  byId('typing').textContent = names.length ? `${who} ${verb} typing…` : '';
}

/** Lists the people, a map of user id to `{name, status}`; a status is told in words too. */
export function showPeople(people, ownId) {
  const items = [...people].map(([userId, { name, status }]) => {
    const item = element('li');
    const dot = element('span', 'dot');
    dot.dataset.status = status;
    const you = userId === ownId ? ' (you)' : '';
    item.append(dot, `${name}${you} `, element('small', '', status));
    return item;
  });
  byId('people').replaceChildren(...items);
}

export function bubble(name, own) {
  const item = element('li', own ? 'message own' : 'message');
  const from = element('div', 'from');
  from.append(element('span', 'name', own ? 'You' : name), ' ', element('span', 'note'));
  item.append(from, element('p'));
  return item;
}

export function fill(item, message) {
  const at = new Date(message.createdAt);
  const time = element('time', '', at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  item.querySelector('.note').replaceChildren(time, message.editedAt && !message.deletedAt ? ' edited' : '');
  item.classList.toggle('gone', Boolean(message.deletedAt));
  item.querySelector('p').textContent = message.deletedAt ? 'Message deleted' : message.content;
}

export function mark(item, note) {
  item.classList.remove('failed');
  item.querySelector('.note').textContent = note;
}

export function offerRetry(item, retry) {
  item.classList.add('failed');
  const button = element('button', '', 'Try again');
  button.type = 'button';
  button.addEventListener('click', retry);
  item.querySelector('.note').append(' ', button);
}
