import { at, bundle, serve } from '@web/testing/server';
import { describe, expect, test } from 'vitest';
import { PATIENT_FINDER } from './finder';
import { findPatients, patientSearches } from './search';

describe('what is typed becomes a search', () => {
  test.each([
    ['oyelaran', [{ name: 'oyelaran' }]],
    ['ada oyelaran', [{ name: 'ada oyelaran' }]],
    ['1987-02-23', [{ birthdate: '1987-02-23' }]],
    ['1987-02', [{ birthdate: '1987-02' }]],
    ['23 Feb 1987', [{ birthdate: '1987-02-23' }]],
    ['5 september 2001', [{ birthdate: '2001-09-05' }]],
    ['ada 1987-02-23', [{ name: 'ada', birthdate: '1987-02-23' }]],
    ['MRN-00991', [{ identifier: 'MRN-00991' }, { name: 'MRN-00991' }]],
    ['2/3/1987', [{ identifier: '2/3/1987' }, { name: '2/3/1987' }]],
    ['   ', []],
  ])('%s', (typed, searches) => {
    expect(patientSearches(typed)).toEqual(searches);
  });
});

const ADA = {
  resourceType: 'Patient',
  id: 'p1',
  gender: 'female',
  birthDate: '1987-02-23',
  name: [{ family: 'Hill811', given: ['Ada'] }],
  identifier: [{ value: 'MRN-1' }],
};

test('somebody found by name and by identifier is one', async () => {
  serve(at('/fhir/Patient', { body: bundle([ADA]) }));

  const found = await findPatients('Hill811', 10, new AbortController().signal);

  expect(found).toMatchObject({ total: 1, patients: [{ id: 'p1' }] });
});

test('the palette tells people of one name apart', async () => {
  serve(at('/fhir/Patient', { body: bundle([ADA]) }));

  const [finding] = await PATIENT_FINDER.find('ada', new AbortController().signal);

  expect(finding).toMatchObject({ title: 'HILL811, Ada', path: '/patients/p1' });
  expect(finding?.detail).toMatch(/^23 Feb 1987 · \d+ years · Female · MRN-1$/);
});
