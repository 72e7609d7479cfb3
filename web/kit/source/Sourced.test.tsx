import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { parseJson } from '@web/fhir/json';
import type { Observation } from '@web/fhir/types';
import { showInChart } from '@web/testing/render';
import { at, found, serve } from '@web/testing/server';
import { beforeEach, describe, expect, test } from 'vitest';
import { Sourced } from './Sourced';

const HEIGHT = parseJson(`{
  "resourceType": "Observation", "id": "o1", "status": "final",
  "meta": {"versionId": "3", "lastUpdated": "2026-11-20T08:15:00Z", "source": "urn:ward-7"},
  "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body height"}]},
  "effectiveDateTime": "2026-11-19T10:00:00Z",
  "performer": [{"reference": "Practitioner/n1"}],
  "valueQuantity": {"value": 174.28635861748953, "unit": "cm"}
}`) as Observation;

function showHeight() {
  showInChart(
    <Sourced resource={HEIGHT} value={HEIGHT} label="Body height 174.3 cm">
      174.3 cm
    </Sourced>,
  );
}

async function open(): Promise<HTMLElement> {
  showHeight();
  await userEvent.click(screen.getByRole('button', { name: /Where is this from/ }));
  return screen.findByRole('dialog', { name: /Body height 174.3 cm/ });
}

beforeEach(() => {
  serve(
    at('/fhir/Practitioner/n1', {
      body: {
        resourceType: 'Practitioner',
        id: 'n1',
        name: [{ prefix: ['Nurse'], given: ['Ida'], family: 'Okoro' }],
      },
    }),
    at('/fhir/Patient/p1', {
      body: {
        resourceType: 'Patient',
        id: 'p1',
        birthDate: '1987-02-23',
        name: [{ family: 'Oyelaran', given: ['Mafe'] }],
        identifier: [{ value: 'MRN-1' }],
      },
    }),
    found('Provenance', {
      resourceType: 'Provenance',
      recorded: '2026-11-20T08:14:00Z',
      agent: [{ who: { display: 'Ward gateway' } }],
    }),
  );
});

describe('a fact says where it comes from', () => {
  test('every digit that was sent', async () => {
    expect((await open()).textContent).toContain('174.28635861748953');
  });

  test('its record, version, code and system', async () => {
    const { textContent } = await open();

    expect(textContent).toContain('Observation/o1');
    expect(textContent).toContain('Version3');
    expect(textContent).toContain('LOINC 8302-2');
    expect(textContent).toContain('urn:ward-7');
  });

  test('when it was measured, and by whom, by name', async () => {
    const dialog = await open();

    expect(await screen.findByText('Nurse Ida Okoro')).toBeDefined();
    expect(dialog.textContent).toContain('19 Nov 2026, 10:00');
  });

  test('its Provenance', async () => {
    await open();

    expect(await screen.findByText('Ward gateway')).toBeDefined();
  });

  test('whose it is', async () => {
    await open();

    expect(await screen.findByText(/OYELARAN, Mafe · Born 23 Feb 1987 · MRN-1/)).toBeDefined();
  });

  test('the stored record itself, in its digits', async () => {
    await open();

    await userEvent.click(screen.getByRole('button', { name: 'Show the stored record' }));

    expect(screen.getByRole('region', { name: 'Stored record' }).textContent).toContain(
      '"value": 174.28635861748953',
    );
  });
});

test('closing gives the keyboard back to the fact', async () => {
  await open();

  await userEvent.click(screen.getByRole('button', { name: 'Close' }));

  expect(screen.queryByRole('dialog')).toBeNull();
  expect(document.activeElement?.textContent).toContain('174.3 cm');
});
