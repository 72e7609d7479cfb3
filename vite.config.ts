import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const server = process.env['POLYCLINIC_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: path('./web'),
  plugins: [react()],
  resolve: { alias: { '@web': path('./web') } },
  // The server puts a fresh nonce in its place with each answer.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: path('./src/polyclinic/web/static'),
    emptyOutDir: true,
    manifest: true,
    // One sheet: a part fetched later must not come without its styles.
    cssCodeSplit: false,
    target: 'es2023',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/fhir': server, '/auth': server },
    fs: { allow: [path('.')] },
  },
  test: {
    root: path('.'),
    environment: 'jsdom',
    include: ['web/**/*.test.{ts,tsx}', 'src/polyclinic/modules/*/ui/**/*.test.{ts,tsx}'],
    setupFiles: [path('./web/testing/setup.ts')],
    restoreMocks: true,
    testTimeout: 20_000,
    css: false,
    env: { TZ: 'UTC' },
    maxWorkers: 2,
  },
});
