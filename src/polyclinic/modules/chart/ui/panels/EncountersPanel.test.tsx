import { screen } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { found, serve } from '@web/testing/server';
import { expect, test } from 'vitest';
import { encounter } from '../testing/records';
import { EncountersPanel } from './EncountersPanel';

async function panel(...encounters: readonly object[]) {
  serve(found('Encounter', ...encounters));
  showInChart(<EncountersPanel patientId="p1" />);
  await screen.findByText(/Last seen|since|Not seen|No encounter/);
  return screen.getByRole('region', { name: 'Encounters' });
}

test('the latest contact is told first', async () => {
  const { textContent } = await panel(
    encounter('Old visit', '2001-01-01'),
    encounter('Check up', '2003-01-01'),
  );

  expect(textContent).toMatch(/Last seen \d+ years ago: Check up/);
});

test('one that goes on now goes before it', async () => {
  const { textContent } = await panel(
    encounter('Check up', '2026-01-01'),
    encounter('Stay', '2025-12-30', { status: 'in-progress', class: { code: 'IMP' } }),
  );

  expect(textContent).toContain('Stay since 30 Dec 2025');
  expect(textContent).toContain('inpatient encounter');
});

test('a planned or cancelled one is no contact', async () => {
  const { textContent } = await panel(
    encounter('Planned visit', '2030-01-01', { status: 'planned' }),
    encounter('Missed visit', '2020-01-01', { status: 'cancelled' }),
  );

  expect(textContent).toContain('Not seen yet');
});

test('one without a date is listed and says so', async () => {
  expect((await panel(encounter('Visit', undefined))).textContent).toContain('date not recorded');
});

test('one entered in error is hidden, and that is said', async () => {
  const { textContent } = await panel(
    encounter('Visit', '2020-01-01'),
    encounter('Wrong', '2021-01-01', { status: 'entered-in-error' }),
  );

  expect(textContent).not.toContain('Wrong');
  expect(textContent).toContain('1 record entered in error is hidden.');
});

test('axe finds nothing', async () => {
  expect(await violations(await panel(encounter('Visit', '2020-01-01')))).toEqual([]);
});
