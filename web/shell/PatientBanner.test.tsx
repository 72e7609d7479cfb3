import { screen, waitFor } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { at, failing, found, type Route, serve } from '@web/testing/server';
import { describe, expect, test } from 'vitest';
import { PatientBanner } from './PatientBanner';

const PATIENT = {
  resourceType: 'Patient',
  id: 'p1',
  gender: 'female',
  birthDate: '1987-02-23',
  name: [{ family: 'Oyelaran', given: ['Mafe'] }],
  identifier: [{ type: { text: 'Medical Record Number' }, value: 'MRN-1' }],
};

async function bannerOf(patient: object, allergies: Route = found('AllergyIntolerance')) {
  serve(at('/fhir/Patient/p1', { body: { ...PATIENT, ...patient } }), allergies);
  showInChart(<PatientBanner id="p1" />);
  const banner = screen.getByRole('region', { name: 'Patient' });
  await waitFor(() => expect(banner.textContent).toContain('Allergies'));
  await waitFor(() => expect(banner.textContent).not.toContain('Loading'));
  return banner;
}

test('it tells who the patient is', async () => {
  const { textContent } = await bannerOf({});

  expect(textContent).toContain('OYELARAN, Mafe');
  expect(textContent).toContain('Born 23 Feb 1987');
  expect(textContent).toContain('Sex Female');
  expect(textContent).toContain('Medical Record Number MRN-1');
});

test('what is not known is said to be not recorded', async () => {
  const { textContent } = await bannerOf({ birthDate: undefined, gender: undefined });

  expect(textContent).toContain('Born not recorded');
  expect(textContent).toContain('Sex not recorded');
});

test('somebody who died has no age now, but one then', async () => {
  const { textContent } = await bannerOf({ deceasedDateTime: '2020-03-01' });

  expect(textContent).toContain('Died 1 Mar 2020, aged 33 years');
  expect(textContent).not.toContain('Age');
});

test('a record that is not in use says so', async () => {
  expect((await bannerOf({ active: false })).textContent).toContain('not in use');
});

describe('allergies', () => {
  const allergy = (text: string, more: object = {}) => ({
    resourceType: 'AllergyIntolerance',
    id: text,
    code: { text },
    ...more,
  });

  test('none on record is not "none known"', async () => {
    const { textContent } = await bannerOf({});

    expect(textContent).toContain('No allergy recorded (not the same as no known allergies)');
  });

  test('none known is stated', async () => {
    const coding = [{ system: 'http://snomed.info/sct', code: '716186003' }];
    const stated = found('AllergyIntolerance', allergy('x', { code: { coding } }));

    expect((await bannerOf({}, stated)).textContent).toContain('No known allergies');
  });

  test('high risk is told in words, too', async () => {
    const high = found('AllergyIntolerance', allergy('Penicillin', { criticality: 'high' }));

    expect((await bannerOf({}, high)).textContent).toContain('Penicillin, high risk');
  });

  test('many are counted', async () => {
    const names = ['A1', 'B2', 'C3', 'D4', 'E5', 'F6'];
    const many = found('AllergyIntolerance', ...names.map((name) => allergy(name)));

    expect((await bannerOf({}, many)).textContent).toContain('and 2 more');
  });

  test('a failure to load them is never silent', async () => {
    const broken = failing('/fhir/AllergyIntolerance', 500);

    expect((await bannerOf({}, broken)).textContent).toContain('could not be loaded');
  });
});

test('axe finds nothing', async () => {
  expect(await violations(await bannerOf({}))).toEqual([]);
});
