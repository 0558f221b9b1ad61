// The demo begins here.

import './styles/tokens.css';
import './styles/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Shell } from './shell/Shell';

const app = document.getElementById('app');
if (app) {
  createRoot(app).render(
    <StrictMode>
      <Shell />
    </StrictMode>,
  );
}
