import { expect, test } from 'vitest';
import { shownIdentifiers } from './identifiers';

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/v2-0203';

function identifier(code: string, value: string, more: object = {}) {
  return { type: { coding: [{ system: SYSTEM, code }], text: code }, value, ...more };
}

test('the record number comes first, private and old numbers are left out', () => {
  const patient = {
    resourceType: 'Patient' as const,
    identifier: [
      identifier('SS', '999-99-9999'),
      identifier('NI', 'N1'),
      identifier('MR', 'M0', { use: 'old' }),
      identifier('MR', 'M1'),
      { value: 'plain' },
      { value: 'M1' },
      { system: 'urn:empty' },
    ],
  };

  expect(shownIdentifiers(patient).map(({ value }) => value)).toEqual(['M1', 'N1', 'plain']);
});
