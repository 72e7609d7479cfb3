import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { at, failing, found, type Route, serve } from '@web/testing/server';
import { beforeEach, describe, expect, test } from 'vitest';
import { App } from './App';

const SESSION = {
  user: 'doctor',
  display: 'Dr. Ada Ekwueme',
  roles: ['doctor'],
  tenant: 'default',
  patient: null,
};
const PATIENT = {
  resourceType: 'Patient',
  id: 'p1',
  name: [{ family: 'Oyelaran', given: ['Mafe'] }],
  birthDate: '1987-02-23',
};
const NOTHING = [
  'AllergyIntolerance',
  'Condition',
  'Encounter',
  'Immunization',
  'MedicationRequest',
  'Observation',
].map((type) => found(type));

const signedIn = at('/auth/session', { body: SESSION });
const patient = at('/fhir/Patient/p1', { body: PATIENT });

function openAt(path: string, ...routes: readonly Route[]) {
  window.history.replaceState(null, '', path);
  const server = serve(...routes);
  render(<App />);
  return server;
}

/** Signed in until `end` is called. */
function session() {
  let over = false;
  return {
    route: ((asked) =>
      over && !asked.url.pathname.startsWith('/auth/sign-in')
        ? { status: 401, body: {} }
        : undefined) satisfies Route,
    end: () => {
      over = true;
    },
    begin: () => {
      over = false;
    },
  };
}

beforeEach(() => {
  document.title = '';
});

test('nobody sees the sign-in page first', async () => {
  openAt('/patients', failing('/auth/session', 401));

  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeDefined();
});

test('the first place opens by itself', async () => {
  openAt('/', signedIn, found('Patient', PATIENT));

  expect(await screen.findByRole('link', { name: 'OYELARAN, Mafe' })).toBeDefined();
  expect(window.location.pathname).toBe('/patients');
});

test('an address that is none says so', async () => {
  openAt('/nowhere', signedIn);

  expect(await screen.findByRole('heading', { name: 'There is no such page.' })).toBeDefined();
});

test('the page is named in the title of the window', async () => {
  openAt('/patients', signedIn, found('Patient'));

  await waitFor(() => expect(document.title).toBe('Patients · Polyclinic'));
});

describe('a chart', () => {
  test('stands below the banner of its patient', async () => {
    openAt('/patients/p1', signedIn, patient, ...NOTHING);

    const banner = await screen.findByRole('region', { name: 'Patient' });
    await waitFor(() => expect(banner.textContent).toContain('OYELARAN, Mafe'));
    expect(banner.textContent).toContain('23 Feb 1987');
  });

  test('says with every request whose it is', async () => {
    const server = openAt('/patients/p1', signedIn, patient, ...NOTHING);
    await screen.findByRole('heading', { name: 'Problems' });
    await screen.findByText(/No problem recorded/);

    const clinical = server.asked.filter(({ url }) => url.pathname.startsWith('/fhir/'));

    expect(clinical.length).toBeGreaterThan(6);
    expect(new Set(clinical.map(({ headers }) => headers.get('X-Polyclinic-Patient')))).toEqual(
      new Set(['p1']),
    );
  });

  test('shows nothing where it is not known whose it is', async () => {
    openAt('/patients/p1', signedIn, failing('/fhir/Patient/p1', 404), ...NOTHING);

    expect(await screen.findByText('This is not on record.')).toBeDefined();
    expect(screen.queryByRole('heading', { name: 'Problems' })).toBeNull();
  });
});

describe('a session that ends', () => {
  test('asks to sign in at the same address, and goes on there', async () => {
    const { route, end, begin } = session();
    const signIn = at('/auth/sign-in', { body: SESSION }, 'POST');
    openAt('/patients/p1', route, signIn, signedIn, patient, found('Provenance'), ...NOTHING);
    await screen.findByText(/No problem recorded/);

    end();
    await userEvent.keyboard('{Control>}k{/Control}');
    await userEvent.type(await screen.findByRole('combobox'), 'oye');

    expect(await screen.findByText(/You were signed out/)).toBeDefined();
    expect(screen.queryByText(/No problem recorded/)).toBeNull();
    expect(window.location.pathname).toBe('/patients/p1');

    begin();
    await userEvent.type(screen.getByLabelText('User name'), 'doctor');
    await userEvent.type(screen.getByLabelText('Password'), 'secret');
    await userEvent.click(screen.getByRole('button', { name: 'Sign in' }));

    expect(await screen.findByText(/No problem recorded/)).toBeDefined();
  });
});

describe('keys', () => {
  test('? lists them, unless something is being typed', async () => {
    openAt('/patients', signedIn, found('Patient', PATIENT));
    await userEvent.type(await screen.findByRole('searchbox'), '?');
    expect(screen.queryByRole('dialog')).toBeNull();

    (document.activeElement as HTMLElement).blur();
    await userEvent.keyboard('?');

    expect(await screen.findByRole('dialog', { name: 'Keys' })).toBeDefined();
  });

  test('single keys can be switched off, Ctrl-K stays', async () => {
    localStorage.setItem('polyclinic.single-keys', 'off');
    openAt('/patients', signedIn, found('Patient', PATIENT));
    await screen.findByRole('link', { name: 'OYELARAN, Mafe' });

    await userEvent.keyboard('?');
    expect(screen.queryByRole('dialog')).toBeNull();
    await userEvent.keyboard('{Control>}k{/Control}');

    expect(await screen.findByRole('combobox')).toBeDefined();
  });

  test('g then p goes to the patients', async () => {
    openAt('/patients/p1', signedIn, patient, found('Patient', PATIENT), ...NOTHING);
    await screen.findByText(/No problem recorded/);

    await userEvent.keyboard('gp');

    await waitFor(() => expect(window.location.pathname).toBe('/patients'));
  });
});
