import { act, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type Fault, FhirError } from '@web/fhir/outcome';
import { show, violations } from '@web/testing/render';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Loaded, type LoadedProps } from './Loaded';

function loaded(props: Partial<LoadedProps<readonly string[]>>) {
  return show(
    <Loaded
      what="vital signs"
      data={undefined}
      error={null}
      emptyText="No vital sign recorded yet."
      emptyHint="Measurements will be listed here."
      {...props}
    >
      {(items) => <p>{items.join(', ')}</p>}
    </Loaded>,
  );
}

afterEach(() => vi.useRealTimers());

describe('while it loads', () => {
  test('nothing is said for the first 150 milliseconds, then what is awaited', () => {
    vi.useFakeTimers();
    loaded({});
    expect(screen.getByRole('status').textContent).toBe('');

    act(() => vi.advanceTimersByTime(151));

    expect(screen.getByRole('status').textContent).toBe('Loading vital signs');
  });
});

test('what was loaded is shown', () => {
  loaded({ data: ['72/min', '36.8 °C'] });

  expect(screen.getByText('72/min, 36.8 °C')).toBeDefined();
});

test('where there is nothing, it says what would be here', () => {
  loaded({ data: [] });

  expect(screen.getByText('No vital sign recorded yet.')).toBeDefined();
  expect(screen.getByText('Measurements will be listed here.')).toBeDefined();
});

describe('when it fails', () => {
  test.each<[Fault, string, string]>([
    ['offline', 'You are offline.', 'once you are connected again'],
    ['unreachable', 'The server does not answer.', 'Nothing was lost'],
    ['forbidden', 'You do not have permission to see this.', 'An administrator'],
    ['not-found', 'This is not on record.', 'may be mistyped'],
    ['deleted', 'This was deleted.', 'Its history is kept'],
    ['limited', 'Too many requests at once.', 'Wait a moment'],
    ['server', 'The server could not answer.', 'Nothing was lost'],
  ])('%s says what happened and what to do', (fault, happened, next) => {
    loaded({ error: new FhirError(fault), retry: () => undefined });

    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain(happened);
    expect(alert.textContent).toContain(next);
  });

  test('it can be tried again', async () => {
    const retry = vi.fn();
    loaded({ error: new FhirError('server'), retry });

    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));

    expect(retry).toHaveBeenCalledOnce();
  });

  test('what is forbidden is not tried again', () => {
    loaded({ error: new FhirError('forbidden'), retry: () => undefined });

    expect(screen.queryByRole('button')).toBeNull();
  });

  test('what was loaded before stays, and is called old', () => {
    loaded({ data: ['72/min'], error: new FhirError('server') });

    expect(screen.getByText('72/min')).toBeDefined();
    expect(screen.getByRole('alert').textContent).toContain('may be out of date');
  });
});

describe('when part of it is missing', () => {
  test('it says how much, beside what is there', () => {
    loaded({ data: ['72/min'], partial: { answered: 4, asked: 5 } });

    expect(screen.getByText('72/min')).toBeDefined();
    expect(screen.getByRole('status').textContent).toContain('4 of 5 sources answered');
  });

  test('nothing found is not called empty', () => {
    loaded({ data: [], partial: { answered: 4, asked: 5 } });

    expect(screen.queryByText('No vital sign recorded yet.')).toBeNull();
  });
});

test.each([
  { error: new FhirError('server'), retry: () => undefined },
  { data: [] },
  { data: ['a'], partial: { answered: 1, asked: 2 } },
  {},
])('axe finds nothing', async (props) => {
  const { container } = loaded(props);

  expect(await violations(container)).toEqual([]);
});
