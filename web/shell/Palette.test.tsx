import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FhirError } from '@web/fhir/outcome';
import { EMPTY_REGISTRY, type Finder, RegistryContext } from '@web/kit/module';
import { show, violations } from '@web/testing/render';
import { useState } from 'react';
import { describe, expect, test, vi } from 'vitest';
import { Palette } from './Palette';

const PEOPLE = ['Sipes, Josue', 'Sipes, Ana', 'Conn, Liz'];

const finder: Finder = {
  key: 'people',
  title: () => 'People',
  find: async (query) =>
    PEOPLE.filter((name) => name.toLowerCase().includes(query.toLowerCase())).map((name) => ({
      key: name,
      title: name,
      detail: 'Born 10 Mar 1956',
      path: `/people/${name}`,
    })),
};

function Host({ onGo, onRun }: { onGo: (path: string) => void; onRun: () => void }) {
  const [query, setQuery] = useState('');
  const [open, setOpen] = useState(true);
  return open ? (
    <Palette
      query={query}
      onQuery={setQuery}
      commands={[{ key: 'sign-out', title: () => 'Sign out', run: () => undefined }]}
      onCommand={onRun}
      onGo={onGo}
      onClose={() => setOpen(false)}
    />
  ) : (
    <button type="button" onClick={() => setOpen(true)}>
      Again
    </button>
  );
}

function palette(finders: readonly Finder[] = [finder]) {
  const onGo = vi.fn();
  const onRun = vi.fn();
  const view = show(
    <RegistryContext value={{ ...EMPTY_REGISTRY, finders }}>
      <Host onGo={onGo} onRun={onRun} />
    </RegistryContext>,
  );
  return { ...view, onGo, onRun };
}

async function type(text: string): Promise<void> {
  await userEvent.type(screen.getByRole('combobox'), text);
}

test('what is typed is searched for', async () => {
  palette();

  await type('sipes');

  expect(await screen.findByRole('option', { name: /Sipes, Josue/ })).toBeDefined();
  expect(screen.queryByRole('option', { name: /Conn/ })).toBeNull();
});

describe('the keyboard', () => {
  test('chooses with the arrows and opens with Enter', async () => {
    const { onGo } = palette();
    await type('sipes');
    await screen.findByRole('option', { name: /Sipes, Ana/ });

    await userEvent.keyboard('{ArrowDown}{Enter}');

    expect(onGo).toHaveBeenCalledWith('/people/Sipes, Ana');
  });

  test('opens nobody while the list is still that of former letters', async () => {
    const { onGo } = palette();
    await type('sipes');
    await screen.findByRole('option', { name: /Josue/ });

    await userEvent.type(screen.getByRole('combobox'), ' x{Enter}');

    expect(onGo).not.toHaveBeenCalled();
  });

  test('goes round at the end of the list', async () => {
    const { onRun } = palette();
    await screen.findByRole('option', { name: 'Sign out' });

    await userEvent.keyboard('{ArrowUp}{Enter}');

    expect(onRun).toHaveBeenCalled();
  });
});

test('the choice is told to a screen reader', async () => {
  palette();
  await type('sipes');
  const option = await screen.findByRole('option', { name: /Josue/ });

  expect(screen.getByRole('combobox').getAttribute('aria-activedescendant')).toBe(option.id);
});

test('Esc closes and what was typed stays', async () => {
  palette();
  await type('sipes');

  await userEvent.keyboard('{Escape}');
  await userEvent.click(await screen.findByRole('button', { name: 'Again' }));

  expect((screen.getByRole('combobox') as HTMLInputElement).value).toBe('sipes');
});

test('letters typed before the field has the focus are kept', async () => {
  palette();
  const field = screen.getByRole('combobox') as HTMLInputElement;
  field.blur();

  await userEvent.keyboard('con');

  expect(field.value).toBe('con');
});

test('a letter typed early replaces what was typed the last time', async () => {
  palette();
  await type('sipes');
  await userEvent.keyboard('{Escape}');
  await userEvent.click(await screen.findByRole('button', { name: 'Again' }));
  const field = screen.getByRole('combobox') as HTMLInputElement;
  field.blur();

  await userEvent.keyboard('c');

  expect(field.value).toBe('c');
});

test('commands are found by their words', async () => {
  const { onRun } = palette();

  await type('out sign');
  await waitFor(() => expect(screen.getAllByRole('option')).toHaveLength(1));
  await waitFor(() => expect(screen.getByRole('status').textContent).toBe('1 result'));
  await userEvent.keyboard('{Enter}');

  expect(onRun).toHaveBeenCalledOnce();
});

test('nothing found says what can be typed', async () => {
  palette();

  await type('zzz');

  expect(await screen.findByText(/Nothing found for "zzz"/)).toBeDefined();
});

test('a search that fails is not "nothing found"', async () => {
  const failing: Finder = {
    ...finder,
    find: async () => {
      throw new FhirError('server');
    },
  };
  palette([failing]);

  await type('sipes');

  expect((await screen.findByRole('alert')).textContent).toContain('People could not be searched');
  expect(screen.queryByText(/Nothing found/)).toBeNull();
});

test('axe finds nothing', async () => {
  palette();
  await type('sipes');
  await screen.findByRole('option', { name: /Josue/ });

  expect(await violations(document.body)).toEqual([]);
});
