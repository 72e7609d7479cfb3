import { parseJson } from '@web/fhir/json';
import type { Quantity, Range } from '@web/fhir/types';
import { describe, expect, test } from 'vitest';
import {
  formatExactQuantity,
  formatQuantity,
  formatRange,
  formatUnit,
  isQuantityRounded,
} from './quantity';

function quantity(json: string): Quantity {
  return parseJson(json) as Quantity;
}

/** Figure and unit stay on one line. */
function plain(text: string | undefined): string | undefined {
  return text?.replace(/\u00a0/g, ' ');
}

describe('a result keeps its digits and names its unit', () => {
  test.each([
    ['{"value":1.00,"unit":"mmol/L"}', '1.00 mmol/L'],
    ['{"value":7.0,"unit":"%","code":"%"}', '7.0 %'],
    ['{"value":120,"unit":"mm[Hg]"}', '120 mmHg'],
    ['{"value":72,"code":"/min"}', '72/min'],
    ['{"value":5,"comparator":"<","unit":"mg/L"}', '<5 mg/L'],
    ['{"value":90,"comparator":">=","unit":"mL/min"}', '≥90 mL/min'],
    ['{"value":79}', '79 (no unit)'],
    ['{"value":3,"unit":"{score}"}', '3'],
    ['{"unit":"mg"}', undefined],
  ])('%s is %s', (json, shown) => {
    expect(plain(formatQuantity(quantity(json)))).toBe(shown);
  });
});

describe('digits that no instrument measures', () => {
  test.each([
    ['104.40242569257323', '104.4'],
    ['2.2718281828', '2.27'],
    ['0.00012345678', '0.000123'],
    ['123456.789', '123456.8'],
  ])('%s is shown as %s', (digits, shown) => {
    expect(plain(formatQuantity(quantity(`{"value":${digits},"unit":"cm"}`)))).toBe(`${shown} cm`);
  });

  test('are all there on request', () => {
    const height = quantity('{"value":104.40242569257323,"unit":"cm"}');

    expect(plain(formatExactQuantity(height))).toBe('104.40242569257323 cm');
    expect(isQuantityRounded(height)).toBe(true);
  });

  test.each(['123.456', '1000000', '0.0500'])('%s is not rounded', (digits) => {
    expect(isQuantityRounded(quantity(`{"value":${digits}}`))).toBe(false);
  });
});

describe('a unit has no dangerous abbreviation', () => {
  test.each([
    ['U/L', 'units/L'],
    ['[IU]/L', 'international units/L'],
    ['m[IU]/L', 'milli-international units/L'],
    ['mIU/mL', 'milli-international units/mL'],
    ['kU/L', 'kilo-units/L'],
    ['ug/dL', 'mcg/dL'],
    ['µg', 'mcg'],
    ['μg/L', 'mcg/L'],
    ['uL', 'µL'],
    ['10*3/uL', '×10³/µL'],
    ['mL/min/{1.73_m2}', 'mL/min/1.73 m²'],
    ['ng/mL', 'ng/mL'],
  ])('%s is %s', (unit, shown) => {
    expect(formatUnit({ unit })).toBe(shown);
  });
});

describe('a range', () => {
  const range = (json: string): Range => parseJson(json) as Range;

  test.each([
    [
      '{"low":{"value":3.50,"unit":"mmol/L"},"high":{"value":5.10,"unit":"mmol/L"}}',
      '3.50 to 5.10 mmol/L',
    ],
    ['{"low":{"value":60,"unit":"%"}}', '60 % or more'],
    ['{"high":{"value":5,"unit":"%"}}', '5 % or less'],
    ['{}', undefined],
  ])('%s is %s', (json, shown) => {
    expect(plain(formatRange(range(json)))).toBe(shown);
  });
});
