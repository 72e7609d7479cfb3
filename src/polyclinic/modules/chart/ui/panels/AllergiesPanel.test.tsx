import { screen } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { found, serve } from '@web/testing/server';
import { expect, test } from 'vitest';
import { allergy, coded } from '../testing/records';
import { AllergiesPanel } from './AllergiesPanel';

async function panel(...allergies: readonly object[]) {
  serve(found('AllergyIntolerance', ...allergies));
  showInChart(<AllergiesPanel patientId="p1" />);
  await screen.findAllByText(/allerg(?:y|ies)[:\u2014 ]|No known|No allergy/);
  return screen.getByRole('region', { name: 'Allergies' });
}

test('nothing recorded says that this is not "none known"', async () => {
  expect((await panel()).textContent).toContain(
    'No allergy recorded — not the same as no known allergies',
  );
});

test('"no known allergies" is what somebody stated', async () => {
  const coding = [{ system: 'http://snomed.info/sct', code: '716186003' }];

  const { textContent } = await panel(allergy('', { code: { text: 'No known allergy', coding } }));

  expect(textContent).toContain('No known allergies');
  expect(textContent).not.toContain('not the same');
});

test('what happened and how bad it was is told', async () => {
  const { textContent } = await panel(
    allergy('Penicillin', {
      criticality: 'high',
      reaction: [{ manifestation: [{ text: 'Anaphylaxis' }], severity: 'severe' }],
    }),
  );

  expect(textContent).toContain('1 allergy: Penicillin');
  expect(textContent).toContain('High risk');
  expect(textContent).toContain('Anaphylaxis (severe)');
});

test('an unconfirmed allergy counts and says so', async () => {
  const unsure = allergy('Strawberry', { verificationStatus: coded('unconfirmed') });

  const { textContent } = await panel(unsure);

  expect(textContent).toContain('1 allergy: Strawberry');
  expect(textContent).toContain('Not confirmed');
});

test('a refuted allergy leaves none recorded', async () => {
  const refuted = allergy('Latex', { verificationStatus: coded('refuted') });

  const { textContent } = await panel(refuted);

  expect(textContent).toContain('No allergy recorded');
  expect(textContent).toContain('Ruled out (1)');
});

test('axe finds nothing', async () => {
  expect(await violations(await panel(allergy('Latex')))).toEqual([]);
});
