import { expect, test } from 'vitest';
import { scriptsOf } from './manifest';

const MANIFEST = {
  'index.html': { file: 'assets/index.js', imports: ['_a.js', '_b.js'] },
  '_a.js': { file: 'assets/a.js', imports: ['_b.js'] },
  '_b.js': { file: 'assets/b.js' },
  'shell/Palette.tsx': { file: 'assets/Palette.js', imports: ['_a.js'] },
  'icon.svg': { file: 'assets/icon.svg' },
};

test('the first load is the entry and all that it imports, each once', () => {
  expect(scriptsOf(MANIFEST, 'index.html')).toEqual([
    'assets/index.js',
    'assets/a.js',
    'assets/b.js',
  ]);
});

test('what is no script is not counted', () => {
  expect(scriptsOf(MANIFEST, 'icon.svg')).toEqual([]);
});

test('an entry that is not there is a fault', () => {
  expect(() => scriptsOf(MANIFEST, 'gone.html')).toThrow('gone.html');
});
