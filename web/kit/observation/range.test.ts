import { parseJson } from '@web/fhir/json';
import type { ObservationValue } from '@web/fhir/types';
import { describe, expect, test } from 'vitest';
import { applicableRange, attentionOf, deviationOf, reportedAttention } from './range';

function value(json: string): ObservationValue {
  return parseJson(json) as ObservationValue;
}

const RANGE =
  '"referenceRange":[{"low":{"value":3.5,"unit":"mmol/L"},"high":{"value":5.1,"unit":"mmol/L"}}]';

function potassium(digits: string, more = ''): ObservationValue {
  return value(`{"valueQuantity":{"value":${digits},"unit":"mmol/L"${more}},${RANGE}}`);
}

describe('a value is held against the range that came with it', () => {
  test.each([
    ['6.0', 'above', '0.9'],
    ['5.15', 'above', '0.05'],
    ['2.9', 'below', '0.6'],
    ['5.1', 'inside', undefined],
    ['3.5', 'inside', undefined],
    ['4.00', 'inside', undefined],
  ])('%s is %s by %s', (digits, direction, amount) => {
    expect(deviationOf(potassium(digits))).toMatchObject({ direction, amount });
  });

  test('without a range nothing is said', () => {
    expect(deviationOf(value('{"valueQuantity":{"value":9.9}}'))).toBeUndefined();
  });

  test('a range in another unit is not used', () => {
    const json = `{"valueQuantity":{"value":9,"unit":"mg/dL"},${RANGE}}`;

    expect(deviationOf(value(json))).toBeUndefined();
  });

  test('a range given in words only is not used', () => {
    const json = '{"valueQuantity":{"value":9},"referenceRange":[{"text":"negative"}]}';

    expect(deviationOf(value(json))).toBeUndefined();
  });
});

describe('a value that is itself a bound', () => {
  test.each([
    ['>', '5.1', 'above'],
    ['>', '6.0', 'above'],
    ['<', '3.5', 'below'],
    ['<', '3.0', 'below'],
  ])('%s%s is surely %s', (comparator, digits, direction) => {
    const deviation = deviationOf(potassium(digits, `,"comparator":"${comparator}"`));

    expect(deviation).toMatchObject({ direction, amount: undefined });
  });

  test.each([
    ['<', '6.0'],
    ['>', '3.0'],
    ['<', '4.0'],
  ])('%s%s proves nothing', (comparator, digits) => {
    expect(deviationOf(potassium(digits, `,"comparator":"${comparator}"`))).toBeUndefined();
  });
});

describe('of several ranges', () => {
  const general = '{"high":{"value":10}}';
  const special = '{"high":{"value":20},"appliesTo":[{"text":"pregnant"}]}';
  const ranged = (ranges: string) =>
    value(`{"valueQuantity":{"value":15},"referenceRange":[${ranges}]}`);

  test('the one for everybody is used', () => {
    expect(deviationOf(ranged(`${general},${special}`))).toMatchObject({ direction: 'above' });
  });

  test('one for others alone is not', () => {
    expect(applicableRange(ranged(special))).toBeUndefined();
  });

  test('none is chosen where two could apply', () => {
    expect(applicableRange(ranged(`${general},{"high":{"value":20}}`))).toBeUndefined();
  });

  test('a therapeutic range is no normal one', () => {
    const therapeutic =
      '{"high":{"value":10},"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/referencerange-meaning","code":"therapeutic"}]}}';

    expect(applicableRange(ranged(therapeutic))).toBeUndefined();
  });
});

describe('what the laboratory said', () => {
  const interpreted = (code: string) =>
    value(`{"valueString":"x","interpretation":[{"coding":[{"code":"${code}"}]}]}`);

  test.each([
    ['HH', 'critical'],
    ['LL', 'critical'],
    ['H', 'abnormal'],
    ['POS', 'abnormal'],
    ['N', undefined],
    ['NEG', undefined],
  ])('%s asks for attention: %s', (code, attention) => {
    expect(reportedAttention(interpreted(code))).toBe(attention);
  });

  test('goes before what the range says', () => {
    const json = `{"valueQuantity":{"value":9.9,"unit":"mmol/L"},${RANGE},"interpretation":[{"coding":[{"code":"HH"}]}]}`;

    expect(attentionOf(value(json))).toBe('critical');
  });
});
