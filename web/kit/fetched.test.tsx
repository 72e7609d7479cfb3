import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { show } from '@web/testing/render';
import { Suspense } from 'react';
import { expect, test, vi } from 'vitest';
import { fetched } from './fetched';
import { Guarded } from './Guarded';

const HERE = { Part: Here };

function Here(): string {
  return 'here';
}

function showPart(load: () => Promise<{ Part: () => string }>) {
  const Part = fetched(load, 'Part');
  return show(
    <Guarded>
      <Suspense fallback="waiting">
        <Part />
      </Suspense>
    </Guarded>,
  );
}

test('a part is shown once its code is there', async () => {
  showPart(async () => HERE);

  expect(await screen.findByText('here')).toBeDefined();
});

test('code that cannot be fetched is told as what it is, and can be fetched later', async () => {
  vi.spyOn(console, 'error').mockReturnValue();
  const load = vi.fn(async () => HERE);
  load.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
  showPart(load);
  expect((await screen.findByRole('alert')).textContent).toContain('The server does not answer.');

  await userEvent.click(screen.getByRole('button', { name: 'Try again' }));

  expect(await screen.findByText('here')).toBeDefined();
});

test('code can be fetched before it is needed', () => {
  const load = vi.fn(async () => HERE);

  fetched(load, 'Part').fetch();

  expect(load).toHaveBeenCalledOnce();
});
