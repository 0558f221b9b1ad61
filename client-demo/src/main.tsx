// The demo begins here.

import './styles/tokens.css';
import './styles/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { pageAt } from './pages/registry';
import { loadUsers } from './session/users';
import { wanted } from './shell/route';
import { Shell } from './shell/Shell';

// What the first view needs is fetched while the shell is drawn.
void loadUsers();
pageAt(wanted().page)?.preload();

const app = document.getElementById('app');
if (app) {
  createRoot(app).render(
    <StrictMode>
      <Shell />
    </StrictMode>,
  );
}
