import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { show, violations } from '@web/testing/render';
import { expect, test } from 'vitest';
import { DataTable } from './DataTable';

const ROWS = Array.from({ length: 10_000 }, (_, index) => `Row ${index}`);

function table(rows: readonly string[]) {
  return show(
    <DataTable
      caption="Rows"
      rows={rows}
      rowKey={(row) => row}
      columns={[{ key: 'name', title: 'Name', heading: true, cell: (row) => row }]}
    />,
  );
}

test('ten thousand rows put fifty into the document', () => {
  table(ROWS);

  expect(screen.getAllByRole('rowheader')).toHaveLength(50);
});

test('more rows come on request', async () => {
  table(ROWS);

  await userEvent.click(screen.getByRole('button', { name: 'Show 50 more' }));

  expect(screen.getAllByRole('rowheader')).toHaveLength(100);
});

test('the last step names how many are left', () => {
  table(ROWS.slice(0, 53));

  expect(screen.getByRole('button', { name: 'Show 3 more' })).toBeDefined();
});

test('axe finds nothing', async () => {
  const { container } = table(ROWS.slice(0, 3));

  expect(await violations(container)).toEqual([]);
});
