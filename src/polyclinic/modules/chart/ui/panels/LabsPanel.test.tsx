import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { showInChart, violations } from '@web/testing/render';
import { found, serve } from '@web/testing/server';
import { describe, expect, test, vi } from 'vitest';
import { GLUCOSE, HBA1C, observation, range } from '../testing/records';
import { LabsPanel } from './LabsPanel';

vi.mock('@web/kit/chart/PlotCanvas', () => ({ PlotCanvas: () => null }));

async function panel(...observations: readonly object[]) {
  serve(found('Observation', ...observations), found('Patient'));
  showInChart(<LabsPanel patientId="p1" />);
  await screen.findByRole('table', { name: 'Laboratory results' });
  return screen.getByRole('region', { name: 'Laboratory results' });
}

function names(): readonly (string | null)[] {
  return screen.getAllByRole('rowheader').map((header) => header.textContent);
}

test('one row for each test, with its latest value', async () => {
  const { textContent } = await panel(
    observation(GLUCOSE, 90, '2020-01-01'),
    observation(GLUCOSE, 110, '2021-01-01'),
    observation(HBA1C, 6, '2021-01-01'),
  );

  expect(names()).toHaveLength(2);
  expect(textContent).toContain('110\u00a0mg/dL');
});

describe('what stands out', () => {
  test('comes first, in the answer and in the table', async () => {
    const { textContent } = await panel(
      observation(GLUCOSE, 90, '2021-02-01', range(70, 99)),
      observation(HBA1C, 7.9, '2021-01-01', range(4, 5.6)),
    );

    expect(textContent).toContain('1 of 2 latest results stands out: HbA1c');
    expect(names()[0]).toContain('HbA1c');
  });

  test('is told in words with how far it lies outside', async () => {
    const { textContent } = await panel(observation(HBA1C, 7.9, '2021-01-01', range(4, 5.6)));

    expect(textContent).toContain('2.3 % above the range');
  });

  test('where nothing does, that is the answer', async () => {
    const { textContent } = await panel(observation(GLUCOSE, 90, '2021-02-01', range(70, 99)));

    expect(textContent).toContain('The 1 latest result with a range is in range');
  });

  test('without any range nothing is called abnormal, and that is said', async () => {
    const { textContent } = await panel(observation(GLUCOSE, 900, '2021-02-01'));

    expect(textContent).toContain('none is marked as abnormal');
    expect(textContent).not.toContain('above the range');
  });
});

test('the change against the one before is told', async () => {
  const { textContent } = await panel(
    observation(HBA1C, 7.4, '2020-03-03'),
    observation(HBA1C, 8.1, '2020-06-03'),
  );

  expect(textContent).toMatch(/HbA1c 8.1\s%.*, up from 7.4\s% on 3 Mar 2020/);
});

test('values in different units are not compared', async () => {
  const molar = { ...GLUCOSE, unit: 'mmol/L' };
  const { textContent } = await panel(
    observation(molar, 5, '2020-03-03'),
    observation(GLUCOSE, 90, '2020-06-03'),
  );

  expect(textContent).not.toContain('up from');
});

test('a result entered in error is never the latest', async () => {
  const { textContent } = await panel(
    observation(GLUCOSE, 90, '2020-03-03'),
    observation(GLUCOSE, 999, '2021-03-03', { status: 'entered-in-error' }),
  );

  expect(textContent).not.toContain('999');
  expect(textContent).toContain('1 record entered in error is hidden.');
});

test('a preliminary result says so', async () => {
  const early = observation(GLUCOSE, 90, '2020-03-03', { status: 'preliminary' });

  expect((await panel(early)).textContent).toContain('Preliminary');
});

test('a missing unit is said', async () => {
  const bare = observation(GLUCOSE, 90, '2020-03-03', { valueQuantity: { value: 90 } });

  expect((await panel(bare)).textContent).toContain('90\u00a0(no unit)');
});

test('a missing value gives its reason', async () => {
  const absent = observation(GLUCOSE, 0, '2020-03-03', {
    valueQuantity: undefined,
    dataAbsentReason: { text: 'Haemolysed' },
  });

  expect((await panel(absent)).textContent).toContain('No value: Haemolysed');
});

test('the name of a test opens its course', async () => {
  await panel(observation(GLUCOSE, 90, '2020-03-03'), observation(GLUCOSE, 95, '2020-06-03'));

  await userEvent.click(screen.getByRole('button', { name: 'Show the trend of Glucose' }));

  const drawer = await screen.findByRole('dialog', { name: 'Glucose' });
  expect(await within(drawer).findByRole('application', { name: /2 values/ })).toBeDefined();
});

test('axe finds nothing', async () => {
  const one = observation(HBA1C, 7.9, '2021-01-01', range(4, 5.6));

  expect(await violations(await panel(one))).toEqual([]);
});
