import { describe, expect, test } from 'vitest';
import { formatAge } from './age';

const NOW = new Date(2026, 10, 23, 9, 0).getTime();

describe('an age is told in the units of that age', () => {
  test.each([
    ['2026-11-23', '0 days'],
    ['2026-11-22', '1 day'],
    ['2026-10-27', '27 days'],
    ['2026-10-26', '4 weeks'],
    ['2026-10-15', '5 weeks 4 days'],
    ['2025-11-24', '52 weeks'],
    ['2025-11-23', '12 months'],
    ['2025-10-20', '13 months 3 days'],
    ['2024-11-23', '2 years'],
    ['2009-09-23', '17 years 2 months'],
    ['2008-11-23', '18 years'],
    ['2008-11-24', '17 years 11 months'],
    ['1926-11-23', '100 years'],
  ])('born %s: %s', (birthDate, shown) => {
    expect(formatAge(birthDate, NOW)).toBe(shown);
  });

  test('somebody born on 29 February has a birthday every year', () => {
    const birthday = new Date(2026, 1, 28).getTime();

    expect(formatAge('2000-02-29', birthday)).toBe('26 years');
  });
});

describe('a birth date known in part gives an age that says so', () => {
  test.each([
    ['1987-02', 'about 39 years'],
    ['1987', 'about 39 years'],
    ['2026-03', 'about 8 months'],
  ])('born %s: %s', (birthDate, shown) => {
    expect(formatAge(birthDate, NOW)).toBe(shown);
  });
});

test.each([undefined, 'unknown', '2027-01-01'])('born %s: unknown', (birthDate) => {
  expect(formatAge(birthDate, NOW)).toBe('unknown');
});
