import { screen } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { found, serve } from '@web/testing/server';
import { expect, test } from 'vitest';
import { immunization } from '../testing/records';
import { ImmunizationsPanel } from './ImmunizationsPanel';

async function panel(...immunizations: readonly object[]) {
  serve(found('Immunization', ...immunizations));
  showInChart(<ImmunizationsPanel patientId="p1" />);
  await screen.findByText(/Latest:|None given|No immunization/);
  return screen.getByRole('region', { name: 'Immunizations' });
}

test('doses of one vaccine are gathered, the latest first', async () => {
  const { textContent } = await panel(
    immunization('Influenza', '2018-10-01'),
    immunization('Influenza', '2019-10-01'),
    immunization('Tetanus', '2017-01-01'),
  );

  expect(textContent).toContain('Latest: Influenza, 1 Oct 2019');
  expect(textContent).toContain('2 doses: 1 Oct 2018');
});

test('one that was not given is no dose', async () => {
  const { textContent } = await panel(
    immunization('Measles', '2020-01-01', {
      status: 'not-done',
      statusReason: { text: 'refused' },
    }),
  );

  expect(textContent).toContain('None given on record');
  expect(textContent).toContain('Not given: refused');
});

test('a date told in words stays in words', async () => {
  const { textContent } = await panel(
    immunization('Polio', undefined, { occurrenceString: 'in early childhood' }),
  );

  expect(textContent).toContain('in early childhood');
});

test('none recorded is not "not immunized"', async () => {
  expect((await panel()).textContent).toContain('not the same as "not immunized"');
});

test('axe finds nothing', async () => {
  expect(await violations(await panel(immunization('Polio', '2020-01-01')))).toEqual([]);
});
