import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { showInChart, violations } from '@web/testing/render';
import { failing, found, serve } from '@web/testing/server';
import { describe, expect, test } from 'vitest';
import { coded, condition } from '../testing/records';
import { ProblemsPanel } from './ProblemsPanel';

async function panel(...conditions: readonly object[]) {
  serve(found('Condition', ...conditions));
  showInChart(<ProblemsPanel patientId="p1" />);
  await screen.findByText(/active problem|No problem|No active/);
  return screen.getByRole('region', { name: 'Problems' });
}

test('the active problems are named first', async () => {
  const { textContent } = await panel(condition('Asthma'), condition('Gout'));

  expect(textContent).toContain('2 active problems: Asthma, Gout');
});

test('none recorded is not "none known"', async () => {
  expect((await panel()).textContent).toContain('not the same as "no known problems"');
});

describe('what is over', () => {
  test('stands behind its number, and is there when asked for', async () => {
    await panel(
      condition('Asthma'),
      condition('Fracture', { clinicalStatus: coded('resolved'), abatementDateTime: '2001-06' }),
    );
    expect(screen.queryByText(/Fracture/)).toBeNull();

    await userEvent.click(screen.getByText('Resolved or inactive (1)'));

    expect((await screen.findAllByText(/Fracture/)).length).toBeGreaterThan(0);
    expect(screen.getByText(/until Jun 2001/)).toBeDefined();
  });

  test('alone leaves no active problem', async () => {
    const resolved = condition('Fracture', { clinicalStatus: coded('resolved') });

    expect((await panel(resolved)).textContent).toContain('No active problem on record');
  });
});

describe('what is not so', () => {
  test('a refuted problem is no active one, and is told apart', async () => {
    const refuted = condition('Embolism', {
      clinicalStatus: undefined,
      verificationStatus: coded('refuted'),
    });

    const { textContent } = await panel(condition('Asthma'), refuted);

    expect(textContent).toContain('1 active problem: Asthma');
    expect(textContent).toContain('Ruled out (1)');
  });

  test('one entered in error is hidden, and that is said', async () => {
    const wrong = condition('Lupus', { verificationStatus: coded('entered-in-error') });

    const { textContent } = await panel(condition('Asthma'), wrong);

    expect(textContent).not.toContain('Lupus');
    expect(textContent).toContain('1 record entered in error is hidden.');
  });
});

describe('what is not certain', () => {
  test('an unconfirmed problem says so', async () => {
    const unsure = condition('Lupus', { verificationStatus: coded('provisional') });

    expect((await panel(unsure)).textContent).toContain('Not confirmed');
  });

  test('one without a status counts as active and says so', async () => {
    const { textContent } = await panel(condition('Gout', { clinicalStatus: undefined }));

    expect(textContent).toContain('1 active problem');
    expect(textContent).toContain('Status not recorded');
  });
});

describe('when it began is told as it was recorded', () => {
  test.each([
    [{ onsetDateTime: '2015' }, 'since 2015'],
    [{ onsetAge: { value: 36, unit: 'a' } }, 'at age 36'],
    [{ onsetString: 'as a child' }, 'as a child'],
    [{ recordedDate: '2024-05-05' }, 'recorded 5 May 2024'],
    [{}, 'date not recorded'],
  ])('%j', async (fields, text) => {
    expect((await panel(condition('Gout', fields))).textContent).toContain(text);
  });
});

test('without permission it says who can give it', async () => {
  serve(failing('/fhir/Condition', 403));
  showInChart(<ProblemsPanel patientId="p1" />);

  expect((await screen.findByRole('alert')).textContent).toContain('An administrator');
});

test('axe finds nothing', async () => {
  expect(await violations(await panel(condition('Asthma'), condition('Gout')))).toEqual([]);
});
