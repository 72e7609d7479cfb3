import { afterEach, describe, expect, test } from 'vitest';
import { formatDate } from '../format/date';
import { formatQuantity } from '../format/quantity';
import { catalogue } from './catalogue';
import { directionOf, PSEUDO, setLocale } from './locale';

afterEach(() => setLocale('en'));

const t = catalogue(
  {
    plain: 'Patients',
    named: 'Go to {place}',
    counted: { one: '{count} problem of {who}', other: '{count} problems of {who}' },
  },
  {},
);

test('a message is filled with its parameters', () => {
  expect(t('named', { place: 'Patients' })).toBe('Go to Patients');
});

test.each([
  [0, '0 problems of Ada'],
  [1, '1 problem of Ada'],
  [2, '2 problems of Ada'],
])('%i takes the right form', (count, text) => {
  expect(t('counted', { count, who: 'Ada' })).toBe(text);
});

test('a wrong key or a missing parameter does not compile', () => {
  // @ts-expect-error no such message
  t('missing');
  // @ts-expect-error the place is missing
  t('named');
  // @ts-expect-error a count is a number
  t('counted', { count: '1', who: 'Ada' });

  expect(t('plain')).toBe('Patients');
});

describe('the mirrored pseudo-language', () => {
  test('accents the words and leaves what is filled in alone', () => {
    setLocale(PSEUDO);

    expect(t('named', { place: 'Patients' })).toBe('Gó tó \u2068Patients\u2069');
  });

  test('runs from right to left', () => {
    expect([directionOf(PSEUDO), directionOf('en')]).toEqual(['rtl', 'ltr']);
  });

  test('keeps dates and values in one piece', () => {
    setLocale(PSEUDO);

    expect(formatDate('2011-01-02')).toBe('\u20682 Jan 2011\u2069');
    expect(formatQuantity({ value: 92, unit: '%' })).toBe('\u206892\u00a0%\u2069');
  });
});

const SOURCES = import.meta.glob<string>(
  [
    '../../**/*.{ts,tsx}',
    '../../../src/polyclinic/modules/*/ui/**/*.{ts,tsx}',
    '!../../**/*.test.{ts,tsx}',
  ],
  { query: '?raw', import: 'default', eager: true },
);

/** Catalogues with the folder whose sources use them. */
const CATALOGUES = Object.entries(SOURCES)
  .filter(([path]) => path.endsWith('/messages.ts'))
  .map(([path, source]) => ({ folder: path.replace('messages.ts', ''), path, source }));

function keysOf(source: string): readonly string[] {
  const body = source.slice(source.indexOf('catalogue('));
  return [...body.matchAll(/^ {4}'?([\w.-]+)'?:/gm)].map((match) => match[1] ?? '');
}

/** Whether a key is named in the sources of its folder, whole or by its beginning in a template. */
function isUsed(key: string, sources: readonly string[]): boolean {
  const stems = key.split('.').map((_, index, parts) => parts.slice(0, index).join('.'));
  return sources.some(
    (source) =>
      source.includes(`'${key}'`) ||
      stems.some((stem) => stem !== '' && source.includes(`\`${stem}.\${`)),
  );
}

test('there are catalogues to check', () => {
  expect(CATALOGUES.length).toBeGreaterThanOrEqual(4);
  expect(CATALOGUES.flatMap(({ source }) => keysOf(source)).length).toBeGreaterThan(150);
});

test.each(CATALOGUES)('every message of $path is used', ({ folder, path, source }) => {
  const sources = Object.entries(SOURCES)
    .filter(([other]) => other.startsWith(folder) && other !== path)
    .map(([, text]) => text);

  expect(keysOf(source).filter((key) => !isUsed(key, sources))).toEqual([]);
});

test.each(
  Object.entries(SOURCES).filter(([path]) => path.endsWith('.tsx') && !path.includes('/testing/')),
)('%s has no words outside a catalogue', (_, source) => {
  const words = [...source.matchAll(/>\s*([A-Z][a-z]+ [a-z]+[^<{}=>]*)</g)].map(
    (match) => match[1],
  );
  const labels = [...source.matchAll(/(?:aria-label|title|label|placeholder)="([^"]+)"/g)];

  expect([...words, ...labels.map((match) => match[1])]).toEqual([]);
});
