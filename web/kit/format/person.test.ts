import type { HumanName } from '@web/fhir/types';
import { expect, test } from 'vitest';
import { formatFullName, formatName, initials, knownAs } from './person';

test('the family name comes first and in capitals', () => {
  const names = [{ family: 'Oyelaran', given: ['María', 'Fernanda'], prefix: ['Dr.'] }];

  expect(formatName(names)).toBe('OYELARAN, María Fernanda (Dr.)');
});

test('the official name is preferred, and one that ended is not', () => {
  const names: HumanName[] = [
    { use: 'maiden', family: 'Smith' },
    { use: 'official', family: 'Old', period: { end: '2020' } },
    { use: 'usual', family: 'Jones', given: ['Ann'] },
  ];

  expect(formatName(names)).toBe('JONES, Ann');
});

test('a name that is only text stays as it is', () => {
  expect(formatName([{ text: '山田 太郎' }])).toBe('山田 太郎');
});

test.each([[undefined], [[]], [[{}]]])('%j is not recorded', (names) => {
  expect(formatName(names)).toBe('Name not recorded');
});

test('a person is spoken to in the usual order', () => {
  expect(formatFullName([{ family: 'Ekwueme', given: ['Ada'], prefix: ['Dr.'] }])).toBe(
    'Dr. Ada Ekwueme',
  );
});

test.each([
  [[{ family: 'Oyelaran', given: ['María'] }], 'MO'],
  [[{ text: 'Kim Lee Park' }], 'KP'],
  [[{ family: '𠮷田', given: ['太郎'] }], '太𠮷'],
  [undefined, '?'],
])('the initials of %j are %s', (names, shown) => {
  expect(initials(names)).toBe(shown);
});

test('another name in use is said', () => {
  const patient = {
    resourceType: 'Patient' as const,
    name: [
      { use: 'official', family: 'A' },
      { use: 'nickname', given: ['Mafe'] },
    ] satisfies HumanName[],
  };

  expect(knownAs(patient)).toBe('Mafe');
});
