import type { Observation } from '@web/fhir/types';
import { expect, test } from 'vitest';
import { absentText, measuredAt, valueText } from './value';

test.each([
  [{ valueCodeableConcept: { text: 'Never smoker' } }, 'Never smoker'],
  [{ valueString: 'Gram-positive cocci' }, 'Gram-positive cocci'],
  [{ valueBoolean: false }, 'No'],
  [{ valueInteger: 0 }, '0'],
  [
    { valueRatio: { numerator: { value: 1, unit: '' }, denominator: { value: 128, unit: '' } } },
    '1 to 128',
  ],
  [{ valueDateTime: '2026-11-23' }, '23 Nov 2026'],
  [{ valuePeriod: { start: '2026-11-20', end: '2026-11-23' } }, '20 Nov 2026 – 23 Nov 2026'],
  [{}, undefined],
])('%j is %s', (value, text) => {
  expect(valueText(value)).toBe(text);
});

test('a missing value gives its reason', () => {
  expect(absentText({ dataAbsentReason: { text: 'Not performed' } })).toBe(
    'No value: Not performed',
  );
  expect(absentText({})).toBe('No value');
});

test('the time of release is not the time of measurement', () => {
  const observation: Observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'Glucose' },
    issued: '2026-11-23T10:00:00Z',
  };

  expect(measuredAt(observation)).toBeUndefined();
});
