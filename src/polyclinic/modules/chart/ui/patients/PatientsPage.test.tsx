import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { show, violations } from '@web/testing/render';
import { at, bundle, failing, found, type Route, serve } from '@web/testing/server';
import { expect, test } from 'vitest';
import { PatientsPage } from './PatientsPage';
import { rememberPatient } from './recent';

function patient(id: string, family: string): object {
  return { resourceType: 'Patient', id, name: [{ family }], birthDate: '1987-02-23' };
}

const byName: Route = ({ url }) =>
  url.searchParams.get('name') === 'oye'
    ? { body: bundle([patient('p2', 'Oyelaran')]) }
    : undefined;

test('everybody is listed with how many there are', async () => {
  serve(found('Patient', patient('p1', 'Conn'), patient('p2', 'Oyelaran')));
  show(<PatientsPage />);

  const table = await screen.findByRole('table', { name: 'All patients' });

  expect(
    within(table)
      .getAllByRole('link')
      .map((link) => link.textContent),
  ).toEqual(['CONN', 'OYELARAN']);
  expect(within(table).getByRole('link', { name: 'CONN' }).getAttribute('href')).toBe(
    '/patients/p1',
  );
});

test('what is typed narrows the list', async () => {
  serve(byName, found('Patient', patient('p1', 'Conn')));
  show(<PatientsPage />);

  await userEvent.type(screen.getByRole('searchbox', { name: /Search patients/ }), 'oye');

  const table = await screen.findByRole('table', { name: 'Found' });
  expect(await within(table).findByRole('link', { name: 'OYELARAN' })).toBeDefined();
});

test('what was typed is kept for the way back, outside the address', async () => {
  serve(byName, found('Patient'));
  const { unmount } = show(<PatientsPage />);
  await userEvent.type(screen.getByRole('searchbox'), 'oye');

  unmount();
  show(<PatientsPage />);

  expect((screen.getByRole('searchbox') as HTMLInputElement).value).toBe('oye');
  expect(window.location.href).not.toContain('oye');
});

test('charts opened before are one step away', async () => {
  rememberPatient('p7');
  serve(at('/fhir/Patient/p7', { body: patient('p7', 'Sipes') }), found('Patient'));
  show(<PatientsPage />);

  const table = await screen.findByRole('table', { name: 'Recently opened' });

  expect(within(table).getByRole('link', { name: 'SIPES' })).toBeDefined();
});

test('nobody found says what to try', async () => {
  serve(found('Patient'));
  show(<PatientsPage />);

  await userEvent.type(screen.getByRole('searchbox'), 'zzz');

  expect(await screen.findByText('No patient found.')).toBeDefined();
});

test('an empty house says how to fill it', async () => {
  serve(found('Patient'));
  show(<PatientsPage />);

  expect(await screen.findByText('No patient is on record yet.')).toBeDefined();
});

test('without permission it says who can give it', async () => {
  serve(failing('/fhir/Patient', 403));
  show(<PatientsPage />);

  expect((await screen.findByRole('alert')).textContent).toContain('An administrator');
});

test('axe finds nothing', async () => {
  serve(found('Patient', patient('p1', 'Conn')));
  const { container } = show(<PatientsPage />);
  await screen.findByRole('table', { name: 'All patients' });

  expect(await violations(container)).toEqual([]);
});
