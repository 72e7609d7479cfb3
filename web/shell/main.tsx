import { createRoot } from 'react-dom/client';
import { App } from './App';
import { nonce } from './nonce';

// Read by the scroll lock under dialogs, which writes a style element of its own.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce();

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(<App />);
}
