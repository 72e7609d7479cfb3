import { screen } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { found, serve } from '@web/testing/server';
import { describe, expect, test } from 'vitest';
import { medication } from '../testing/records';
import { MedicationsPanel } from './MedicationsPanel';

async function panel(...requests: readonly object[]) {
  serve(found('MedicationRequest', ...requests));
  showInChart(<MedicationsPanel patientId="p1" />);
  await screen.findByText(/active medication|No medication|No active/);
  return screen.getByRole('region', { name: 'Medications' });
}

test('what is to be taken now is named first, with its dose', async () => {
  const { textContent } = await panel(
    medication('Ibuprofen', { status: 'stopped' }),
    medication('Metformin', { dosageInstruction: [{ text: '1 tablet twice daily' }] }),
  );

  expect(textContent).toContain('1 active medication: Metformin');
  expect(textContent).toContain('1 tablet twice daily');
  expect(textContent).toContain('Stopped or completed (1)');
});

test('a missing dose is said', async () => {
  expect((await panel(medication('Metformin'))).textContent).toContain('no dose recorded');
});

describe('what is not to be taken is not counted as active', () => {
  test.each([
    [{ doNotPerform: true }, 'Do not give'],
    [{ status: 'on-hold' }, 'On hold'],
    [{ status: 'draft' }, 'Draft'],
    [{ status: 'unknown' }, 'Status unknown'],
    [{ intent: 'proposal' }, 'Proposed, not ordered'],
  ])('%j', async (fields, mark) => {
    const { textContent } = await panel(medication('Metformin', fields));

    expect(textContent).toContain('No active medication on record');
    expect(textContent).toContain(mark);
  });
});

test('one entered in error is hidden, and that is said', async () => {
  const { textContent } = await panel(
    medication('Metformin'),
    medication('Warfarin', { status: 'entered-in-error' }),
  );

  expect(textContent).not.toContain('Warfarin');
  expect(textContent).toContain('1 record entered in error is hidden.');
});

test('names too long for a line leave the number', async () => {
  const long = 'insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML [Humulin]';
  const { textContent } = await panel(medication(long), medication('Metformin'));

  expect(textContent).toContain('2 active medications');
  expect(textContent).not.toContain('2 active medications:');
});

test('none recorded is not "takes none"', async () => {
  expect((await panel()).textContent).toContain('not the same as "takes no medication"');
});

test('a medication known by reference is named', async () => {
  const { textContent } = await panel(
    medication('', {
      medicationCodeableConcept: undefined,
      medicationReference: { reference: 'Medication/m1', display: 'Heparin' },
    }),
  );

  expect(textContent).toContain('Heparin');
});

test('axe finds nothing', async () => {
  expect(await violations(await panel(medication('Metformin')))).toEqual([]);
});
