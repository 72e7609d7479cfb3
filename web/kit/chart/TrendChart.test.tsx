import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { show, violations } from '@web/testing/render';
import { describe, expect, test, vi } from 'vitest';
import { TrendChart, type TrendSeries } from './TrendChart';

// A canvas needs a browser; the drawing itself is looked at in the browser tests.
vi.mock('./PlotCanvas', () => ({ PlotCanvas: () => null }));

const DAY = 86_400_000;

function series(label: string, values: readonly string[], bandText?: string): TrendSeries {
  return {
    label,
    continuous: false,
    band: undefined,
    bandText,
    points: values.map((text, day) => ({
      key: `d${day}`,
      at: day * DAY,
      value: Number.parseFloat(text),
      when: () => `day ${day}`,
      text: () => text,
      cell: () => text,
    })),
  };
}

const HBA1C = series('HbA1c', ['7.4 %', '8.1 %', '7.0 %'], '4.0 to 5.6 %');

describe('by keyboard', () => {
  test('the chart opens at the latest value, the arrows go from value to value', async () => {
    show(<TrendChart title="HbA1c" series={[HBA1C]} />);
    const chart = screen.getByRole('application', { name: /Chart of HbA1c: 3 values/ });
    expect(screen.getByText('day 2: 7.0 %')).toBeDefined();

    chart.focus();
    await userEvent.keyboard('{ArrowLeft}{ArrowLeft}');

    expect(screen.getByText('day 1: 8.1 %')).toBeDefined();
  });

  test('Home and End go to the first and the last value', async () => {
    show(<TrendChart title="HbA1c" series={[HBA1C]} />);
    screen.getByRole('application').focus();

    await userEvent.keyboard('{Home}');
    expect(screen.getByText('day 0: 7.4 %')).toBeDefined();

    await userEvent.keyboard('{End}');
    expect(screen.getByText('day 2: 7.0 %')).toBeDefined();
  });
});

test('the reference range is named', () => {
  show(<TrendChart title="HbA1c" series={[HBA1C]} />);

  expect(screen.getByText(/reference range 4.0 to 5.6 %/)).toBeDefined();
});

test('several lines are read together', () => {
  const pressure = [series('Systolic', ['120 mmHg']), series('Diastolic', ['80 mmHg'])];
  show(<TrendChart title="Blood pressure" series={pressure} />);

  expect(screen.getByText('day 0: Systolic 120 mmHg, Diastolic 80 mmHg')).toBeDefined();
});

test('behind the chart is a table, newest first', async () => {
  show(<TrendChart title="HbA1c" series={[HBA1C]} />);

  await userEvent.click(screen.getByRole('radio', { name: 'Table' }));

  const rows = within(screen.getByRole('table', { name: 'HbA1c' })).getAllByRole('row');
  expect(rows.map((row) => row.textContent)).toEqual([
    'WhenHbA1c',
    'day 27.0 %',
    'day 18.1 %',
    'day 07.4 %',
  ]);
});

test('axe finds nothing', async () => {
  const { container } = show(<TrendChart title="HbA1c" series={[HBA1C]} />);

  expect(await violations(container)).toEqual([]);
});
