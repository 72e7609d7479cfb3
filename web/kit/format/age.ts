import { parseDate } from './date';
import { t } from './messages';

interface Span {
  readonly years: number;
  readonly months: number;
  readonly days: number;
}

const DAY = 86_400_000;

/** Whole calendar months between two dates, and the days that are left. */
function spanBetween(from: Date, to: Date): Span {
  let months = (to.getFullYear() - from.getFullYear()) * 12 + to.getMonth() - from.getMonth();
  // A month that is not over yet does not count; the 31st falls on the last day of a short month.
  const anchor = (count: number): Date => {
    const first = new Date(from.getFullYear(), from.getMonth() + count, 1);
    const last = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
    return new Date(first.getFullYear(), first.getMonth(), Math.min(from.getDate(), last));
  };
  if (anchor(months).getTime() > to.getTime()) {
    months -= 1;
  }
  return {
    years: Math.floor(months / 12),
    months,
    days: Math.round((startOfDay(to) - startOfDay(anchor(months))) / DAY),
  };
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function youngAge(span: Span, days: number): string {
  if (days < 28) {
    return t('age.days', { count: days });
  }
  if (span.years < 1) {
    return joined(t('age.weeks', { count: Math.floor(days / 7) }), days % 7, 'age.days');
  }
  if (span.years < 2) {
    return joined(t('age.months', { count: span.months }), span.days, 'age.days');
  }
  return joined(t('age.years', { count: span.years }), span.months % 12, 'age.months');
}

function joined(whole: string, rest: number, unit: 'age.days' | 'age.months'): string {
  return rest === 0 ? whole : `${whole} ${t(unit, { count: rest })}`;
}

/**
 * Return an age in the units in which people of that age are spoken of.
 *
 * Days under 4 weeks, weeks and days under a year, months and days under two, years and months under 18,
 * then years: the table of the NHS standard ISB 1505 (patient banner). A birth date known to the month or
 * the year gives "about".
 */
export function formatAge(birthDate: string | undefined, at: number = Date.now()): string {
  const birth = parseDate(birthDate);
  if (birth === undefined) {
    return t('age.unknown');
  }
  const now = new Date(at);
  if (birth.start > at) {
    return t('age.unknown');
  }
  if (birth.precision === 'year') {
    return t('age.about', { age: t('age.years', { count: now.getFullYear() - birth.year }) });
  }
  const span = spanBetween(new Date(birth.start), now);
  if (birth.precision === 'month') {
    const age =
      span.years < 2
        ? t('age.months', { count: span.months })
        : t('age.years', { count: span.years });
    return t('age.about', { age });
  }
  const days = Math.round((startOfDay(now) - birth.start) / DAY);
  return span.years >= 18 ? t('age.years', { count: span.years }) : youngAge(span, days);
}
