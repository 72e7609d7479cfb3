import { screen, waitFor } from '@testing-library/react';
import { showInChart, violations } from '@web/testing/render';
import { bundle, type Route, serve } from '@web/testing/server';
import { describe, expect, test } from 'vitest';
import { bloodPressure, HEART_RATE, type Json, observation, WEIGHT } from '../testing/records';
import { VitalsPanel } from './VitalsPanel';

/** Answer the search by category with a first page of many, those by code with what has the code. */
function vitals(firstPage: readonly Json[], others: readonly Json[] = [], total = 0): Route {
  return ({ url }) => {
    if (url.pathname !== '/fhir/Observation') {
      return undefined;
    }
    const code = url.searchParams.get('code')?.split('|')[1];
    if (code === undefined) {
      const next = total > firstPage.length ? '/fhir/Observation?page=2' : undefined;
      return { body: { ...bundle(firstPage, next), total: total || firstPage.length } };
    }
    return { body: bundle(others.filter((item) => JSON.stringify(item).includes(`"${code}"`))) };
  };
}

async function panel(...routes: readonly Route[]) {
  const server = serve(...routes);
  showInChart(<VitalsPanel patientId="p1" />);
  const region = await screen.findByRole('region', { name: 'Vital signs' });
  await screen.findByRole('table', { name: 'Vital signs' });
  return { region, server };
}

test('a blood pressure is one figure, systolic before diastolic', async () => {
  const { region } = await panel(vitals([bloodPressure(122, 82, '2020-01-01')]));

  expect(region.textContent).toContain('Blood pressure 122/82\u00a0mmHg');
});

test('either pressure says by itself where it comes from', async () => {
  await panel(vitals([bloodPressure(122, 82, '2020-01-01')]));

  const names = screen.getAllByRole('button', { name: /Where is this from/ });

  expect(names.map((button) => button.textContent)).toEqual([
    expect.stringContaining('Systolic blood pressure 122'),
    expect.stringContaining('Diastolic blood pressure 82'),
  ]);
});

test('vital signs stand in the order of the value set', async () => {
  await panel(
    vitals([
      observation(WEIGHT, 80, '2020-01-01'),
      observation(HEART_RATE, 72, '2020-01-01'),
      bloodPressure(122, 82, '2020-01-01'),
    ]),
  );

  const names = screen.getAllByRole('rowheader').map((header) => header.textContent);

  expect(names.map((name) => name?.replace('Show the trend of ', ''))).toEqual([
    'Blood pressureBlood pressure',
    'Heart rateHeart rate',
    'Body weightBody weight',
  ]);
});

describe('ten thousand measurements', () => {
  const rates = Array.from({ length: 200 }, (_, index) =>
    observation(
      HEART_RATE,
      70 + (index % 9),
      `2026-11-${String(1 + (index % 20)).padStart(2, '0')}`,
    ),
  );
  const weight = observation(WEIGHT, 80, '2024-01-01');

  test('do not hide the weight of two years ago', async () => {
    const { region } = await panel(vitals(rates, [weight], 10_000));

    await waitFor(() => expect(region.textContent).toContain('80\u00a0kg'));
  });

  test('are loaded up to a bound, and it is said how far', async () => {
    const { region, server } = await panel(vitals(rates, [weight], 10_000));

    expect(region.textContent).toContain(
      'Looked through the latest 200 of 10,000, back to 1 Nov 2026.',
    );
    expect(server.asked.length).toBeLessThan(15);
  });

  test('put few elements into the document', async () => {
    const { region } = await panel(vitals(rates, [weight], 10_000));

    expect(region.querySelectorAll('*').length).toBeLessThan(400);
  });
});

test('part of the searches failing is said', async () => {
  const rate = observation(HEART_RATE, 72, '2020-01-01');
  const broken: Route = ({ url }) =>
    url.searchParams.has('code') ? { status: 500, body: {} } : undefined;

  const { region } = await panel(broken, vitals([rate], [], 500));

  await waitFor(() => expect(region.textContent).toContain('1 of 10 sources answered'));
});

test('axe finds nothing', async () => {
  const { region } = await panel(vitals([bloodPressure(122, 82, '2020-01-01')]));

  expect(await violations(region)).toEqual([]);
});
