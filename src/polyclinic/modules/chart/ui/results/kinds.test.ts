import type { Observation } from '@web/fhir/types';
import { describe, expect, test } from 'vitest';
import { bloodPressure, GLUCOSE, type Json, observation } from '../testing/records';
import { kindsOf, partsOf } from './kinds';
import { isStale } from './text';
import { drawable, seriesOf } from './trend';

function observations(...records: readonly Json[]): readonly Observation[] {
  return records as unknown as readonly Observation[];
}

describe('observations are of one kind', () => {
  test('by their LOINC code, whatever other codes and words they carry', () => {
    const local = [
      { system: 'urn:lab', code: 'GLU' },
      { system: 'http://loinc.org', code: GLUCOSE.code },
    ];
    const { kinds } = kindsOf(
      observations(
        observation(GLUCOSE, 90, '2020-01-01'),
        observation(GLUCOSE, 95, '2020-02-01', { code: { text: 'Sugar', coding: local } }),
      ),
    );

    expect(kinds.map(({ key }) => key)).toEqual(['http://loinc.org|2345-7']);
  });

  test('by their words where they have no code', () => {
    const code = { text: 'Blood culture' };
    const { kinds } = kindsOf(
      observations(
        observation(GLUCOSE, 1, '2020-01-01', { code }),
        observation(GLUCOSE, 2, '2020-02-01', { code: { text: 'blood culture' } }),
      ),
    );

    expect(kinds).toHaveLength(1);
    expect(kinds[0]?.coding).toBeUndefined();
  });

  test('once each, also where two searches found them', () => {
    const one = observation(GLUCOSE, 90, '2020-01-01');

    expect(kindsOf(observations(one, one)).kinds[0]?.observations).toHaveLength(1);
  });
});

test('one without a date counts as the oldest', () => {
  const undated = observation(GLUCOSE, 1, '', { effectiveDateTime: undefined });
  const { kinds } = kindsOf(observations(undated, observation(GLUCOSE, 90, '2020-01-01')));

  expect(kinds[0]?.observations[0]?.effectiveDateTime).toBe('2020-01-01');
});

describe('a name loses its bracket', () => {
  const named = (code: string, text: string): Json =>
    observation({ code, text, unit: 'mg/dL' }, 1, '2020-01-01');

  test('where it stays unlike any other', () => {
    const { kinds } = kindsOf(observations(named('1', 'Glucose [Mass/volume] in Blood')));

    expect(kinds[0]?.name).toBe('Glucose in Blood');
  });

  test('and keeps it where only the bracket tells two apart', () => {
    const { kinds } = kindsOf(
      observations(
        named('1', 'Glucose [Mass/volume] in Blood'),
        named('2', 'Glucose [Moles/volume] in Blood'),
      ),
    );

    expect(kinds.map(({ name }) => name)).toContain('Glucose [Moles/volume] in Blood');
  });
});

test('the parts of a panel come systolic first', () => {
  const [panel] = observations(bloodPressure(120, 80, '2020-01-01'));

  expect(panel && partsOf(panel).map(({ value }) => value.valueQuantity?.value)).toEqual([120, 80]);
});

describe('a series', () => {
  test('holds one unit; the one of the latest value is drawn', () => {
    const molar = { ...GLUCOSE, unit: 'mmol/L' };
    const series = seriesOf(
      observations(
        observation(molar, 5, '2019-01-01'),
        observation(GLUCOSE, 90, '2020-01-01'),
        observation(GLUCOSE, 95, '2021-01-01'),
      ),
    );

    expect(series).toHaveLength(2);
    expect(drawable(series).map(({ unit, measured }) => [unit, measured.length])).toEqual([
      ['mg/dL', 2],
    ]);
  });

  test('leaves out what was cancelled or has no date', () => {
    const series = seriesOf(
      observations(
        observation(GLUCOSE, 90, '2020-01-01', { status: 'cancelled' }),
        observation(GLUCOSE, 90, '', { effectiveDateTime: undefined }),
      ),
    );

    expect(series).toEqual([]);
  });
});

describe('a value is old', () => {
  const monthly = ['2020-01-01', '2020-02-01', '2020-03-01'].map((date) =>
    observation(GLUCOSE, 90, date),
  );
  const [kind] = kindsOf(observations(...monthly)).kinds;

  test.each([
    ['2020-04-15', false],
    ['2020-06-01', true],
  ])('on %s: %s, for somebody measured every month', (today, stale) => {
    expect(kind && isStale(kind, Date.parse(today))).toBe(stale);
  });

  test('is never said of somebody measured once', () => {
    const [once] = kindsOf(observations(observation(GLUCOSE, 90, '1990-01-01'))).kinds;

    expect(once && isStale(once)).toBe(false);
  });
});
