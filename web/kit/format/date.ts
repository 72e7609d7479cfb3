/** Dates of https://hl7.org/fhir/R4/datatypes.html#date: whole, or as far as they are known. */

import { isolated } from '../i18n/bidi';
import { formattingLocale } from '../i18n/locale';

/** How much of a date was sent. */
export type Precision = 'year' | 'month' | 'day' | 'time';

export interface PartialDate {
  readonly precision: Precision;
  readonly year: number;
  /** Milliseconds since 1970 of its beginning, in the reader's time zone where none was sent. */
  readonly start: number;
}

const SHAPE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}:\d{2}.*))?)?)?$/;

function precisionOf(month?: string, day?: string, time?: string): Precision {
  if (time !== undefined) {
    return 'time';
  }
  if (day !== undefined) {
    return 'day';
  }
  return month === undefined ? 'year' : 'month';
}

function instantOf(text: string, [, year, month, day, time]: RegExpExecArray): Date {
  return time === undefined
    ? new Date(Number(year), Number(month ?? 1) - 1, Number(day ?? 1))
    : new Date(text);
}

/** Return the parts of a FHIR date, dateTime or instant, or undefined where it is none. */
export function parseDate(text: string | undefined): PartialDate | undefined {
  const match = SHAPE.exec(text ?? '');
  if (text === undefined || match === null) {
    return undefined;
  }
  const instant = instantOf(text, match);
  const [, , month, day, time] = match;
  return Number.isNaN(instant.getTime())
    ? undefined
    : {
        precision: precisionOf(month, day, time),
        year: instant.getFullYear(),
        start: instant.getTime(),
      };
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** To make a format takes longer than to use it a hundred times. */
function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  const known = FORMATS.get(key) ?? new Intl.DateTimeFormat(locale, options);
  FORMATS.set(key, known);
  return known;
}

/** Short month names of three letters; British English would write "Sept". */
function formatted(date: Date, options: Intl.DateTimeFormatOptions): string {
  const locale = formattingLocale();
  if (locale !== 'en') {
    return format(locale, options).format(date);
  }
  const parts = format('en-US', options).formatToParts(date);
  const part = (type: string) => parts.find((item) => item.type === type)?.value;
  return [part('day'), part('month'), part('year')].filter(Boolean).join(' ');
}

function formattedTime(date: Date): string {
  return format(formattingLocale() === 'en' ? 'en-GB' : formattingLocale(), {
    hour: '2-digit',
    minute: '2-digit',
  }).format(date);
}

const PARTS: Readonly<Record<Precision, Intl.DateTimeFormatOptions>> = {
  year: { year: 'numeric' },
  month: { year: 'numeric', month: 'short' },
  day: { year: 'numeric', month: 'short', day: 'numeric' },
  time: { year: 'numeric', month: 'short', day: 'numeric' },
};

/** Return "23 Nov 2026", "Nov 2026" or "2026", as far as the date is known; else the text as sent. */
export function formatDate(text: string | undefined): string {
  const date = parseDate(text);
  return isolated(
    date === undefined ? (text ?? '') : formatted(new Date(date.start), PARTS[date.precision]),
  );
}

/** Return "23 Nov 2026, 14:05", without the time where none was sent. */
export function formatDateTime(text: string | undefined): string {
  const date = parseDate(text);
  return date?.precision === 'time'
    ? isolated(`${formatDate(text)}, ${formattedTime(new Date(date.start))}`)
    : formatDate(text);
}

/** Return the time of day of a moment, such as "14:05". */
export function formatTime(moment: number): string {
  return formattedTime(new Date(moment));
}

/** Return a day given in milliseconds, such as "23 Nov 2026". */
export function formatDay(moment: number): string {
  return formatted(new Date(moment), PARTS.day);
}

/** Return the month of a moment, such as "Nov 2026". */
export function formatMonth(moment: number): string {
  return formatted(new Date(moment), PARTS.month);
}

const DAY = 86_400_000;
const MINUTE = 60_000;

function startOfDay(moment: number): number {
  return new Date(moment).setHours(0, 0, 0, 0);
}

/** Whole months of the calendar between two moments, negative into the past. */
function monthsBetween(from: number, to: number): number {
  const [a, b] = from < to ? [new Date(from), new Date(to)] : [new Date(to), new Date(from)];
  const months = (b.getFullYear() - a.getFullYear()) * 12 + b.getMonth() - a.getMonth();
  const whole = b.getDate() < a.getDate() ? months - 1 : months;
  return from < to ? whole : -whole;
}

type Step = readonly [count: number, unit: Intl.RelativeTimeFormatUnit];

/** From two of a unit on it is used: "23 months ago" says more than "last year". */
function stepOf(days: number, months: number, precision: Precision): Step {
  if (Math.abs(months) >= 24) {
    return [Math.trunc(months / 12), 'year'];
  }
  if (Math.abs(months) >= 2 || precision === 'month') {
    return [months, 'month'];
  }
  return Math.abs(days) >= 14 ? [Math.trunc(days / 7), 'week'] : [days, 'day'];
}

function agoToday(passed: number, relative: Intl.RelativeTimeFormat): string {
  const minutes = Math.trunc(passed / MINUTE);
  return Math.abs(minutes) < 60
    ? relative.format(minutes, 'minute')
    : relative.format(Math.trunc(minutes / 60), 'hour');
}

/** Return how long ago something was, such as "3 months ago", no finer than what was sent. */
export function formatAgo(text: string | undefined, now: number = Date.now()): string {
  const date = parseDate(text);
  if (date === undefined) {
    return '';
  }
  const relative = new Intl.RelativeTimeFormat(formattingLocale(), { numeric: 'auto' });
  if (date.precision === 'year') {
    return isolated(relative.format(date.year - new Date(now).getFullYear(), 'year'));
  }
  const days = Math.round((startOfDay(date.start) - startOfDay(now)) / DAY);
  if (days === 0 && date.precision === 'time') {
    return isolated(agoToday(date.start - now, relative));
  }
  const [count, unit] = stepOf(days, monthsBetween(now, date.start), date.precision);
  return isolated(relative.format(count, unit));
}
