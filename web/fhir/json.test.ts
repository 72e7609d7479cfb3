import { describe, expect, test } from 'vitest';
import { digitsOf, parseJson, stringifyJson } from './json';

interface Measured {
  value: number;
}

function parsed(text: string): Measured {
  return parseJson(text) as Measured;
}

describe('a decimal keeps its digits', () => {
  test.each([
    '1.00',
    '0.10',
    '-2.500',
    '1E3',
    '1.5e-7',
    '12345678901234567890',
    '0.1000000000000000055',
    '7.4',
    '0',
  ])('%s', (digits) => {
    const quantity = parsed(`{"value":${digits},"unit":"kg"}`);

    expect(digitsOf(quantity, 'value')).toBe(digits);
  });

  test('in an array of objects each holder keeps its own', () => {
    const [first, second] = parseJson('[{"value":1.0},{"value":1.00}]') as [Measured, Measured];

    expect([digitsOf(first, 'value'), digitsOf(second, 'value')]).toEqual(['1.0', '1.00']);
  });

  test('and can be calculated with', () => {
    expect(parsed('{"value":1.50}').value + 1).toBe(2.5);
  });
});

test('something that is no number has no digits', () => {
  const text = parseJson('{"value":"1.00"}') as { value: string };

  expect(digitsOf(text, 'value')).toBeUndefined();
});

describe('writing', () => {
  test('gives back the digits that were read', () => {
    const text = '{"resourceType":"Observation","valueQuantity":{"value":1.00}}';

    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  test('keeps the digits of a part that was carried into a new object', () => {
    const before = parseJson('{"valueQuantity":{"value":2.50}}') as { valueQuantity: Measured };

    expect(stringifyJson({ ...before, status: 'final' })).toContain('"value":2.50');
  });

  test('writes a number that was changed as what it is now', () => {
    const quantity = parsed('{"value":1.00}');
    quantity.value = 3;

    expect(stringifyJson(quantity)).toBe('{"value":3}');
  });
});
