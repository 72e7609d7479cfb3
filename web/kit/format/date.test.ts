import { describe, expect, test } from 'vitest';
import { formatAgo, formatDate, formatDateTime, parseDate } from './date';

const NOW = new Date(2026, 10, 23, 14, 5).getTime();

describe('a date is as precise as it was sent', () => {
  test.each([
    ['2026-11-23', '23 Nov 2026'],
    ['2026-09-05', '5 Sep 2026'],
    ['2026-11', 'Nov 2026'],
    ['2026', '2026'],
    ['2026-11-23T14:05:00Z', '23 Nov 2026'],
    ['around Easter', 'around Easter'],
    [undefined, ''],
  ])('%s is %s', (sent, shown) => {
    expect(formatDate(sent)).toBe(shown);
  });
});

test('a moment shows its time, a day does not', () => {
  expect(formatDateTime('2026-11-23T14:05:33.120Z')).toBe('23 Nov 2026, 14:05');
  expect(formatDateTime('2026-11-23')).toBe('23 Nov 2026');
});

test('a day of the calendar is the same in every time zone', () => {
  expect(new Date(parseDate('1987-02-23')?.start ?? 0).getDate()).toBe(23);
});

test.each(['2026-13-45T99:99:00Z', '26-11-23', '', '2026-1-1'])('"%s" is no date', (text) => {
  expect(parseDate(text)).toBeUndefined();
});

describe('how long ago', () => {
  test.each([
    ['2026-11-23', 'today'],
    ['2026-11-22', 'yesterday'],
    ['2026-11-22T23:50:00Z', 'yesterday'],
    ['2026-11-23T13:00:00Z', '1 hour ago'],
    ['2026-11-23T14:01:00Z', '4 minutes ago'],
    ['2026-11-13', '10 days ago'],
    ['2026-10-21', '4 weeks ago'],
    ['2025-01-02', '22 months ago'],
    ['2021-11-23', '5 years ago'],
    ['2026-10', 'last month'],
    ['2024', '2 years ago'],
    ['2027-01-23', 'in 2 months'],
  ])('%s was %s', (sent, shown) => {
    expect(formatAgo(sent, NOW)).toBe(shown);
  });

  test('nothing is said of a date that is not known', () => {
    expect(formatAgo('some time', NOW)).toBe('');
  });
});
