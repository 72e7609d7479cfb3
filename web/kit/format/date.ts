/** Dates of https://hl7.org/fhir/R4/datatypes.html#date: whole, or as far as they are known. */

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

/** Short month names of three letters; British English would write "Sept". */
function formatted(date: Date, options: Intl.DateTimeFormatOptions): string {
  const locale = formattingLocale();
  if (locale !== 'en') {
    return new Intl.DateTimeFormat(locale, options).format(date);
  }
  const parts = new Intl.DateTimeFormat('en-US', options).formatToParts(date);
  const part = (type: string) => parts.find((item) => item.type === type)?.value;
  return [part('day'), part('month'), part('year')].filter(Boolean).join(' ');
}

function formattedTime(date: Date): string {
  return new Intl.DateTimeFormat(formattingLocale() === 'en' ? 'en-GB' : formattingLocale(), {
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
  return date === undefined ? (text ?? '') : formatted(new Date(date.start), PARTS[date.precision]);
}

/** Return "23 Nov 2026, 14:05", without the time where none was sent. */
export function formatDateTime(text: string | undefined): string {
  const date = parseDate(text);
  return date?.precision === 'time'
    ? `${formatDate(text)}, ${formattedTime(new Date(date.start))}`
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
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365.25 * DAY],
  ['month', 30.44 * DAY],
  ['week', 7 * DAY],
  ['day', DAY],
  ['hour', DAY / 24],
  ['minute', DAY / 1440],
];

/** Return how long ago something was, such as "3 months ago", no finer than what was sent. */
export function formatAgo(text: string | undefined, now: number = Date.now()): string {
  const date = parseDate(text);
  if (date === undefined) {
    return '';
  }
  const relative = new Intl.RelativeTimeFormat(formattingLocale(), { numeric: 'auto' });
  if (date.precision === 'year') {
    return relative.format(date.year - new Date(now).getFullYear(), 'year');
  }
  const passed = date.start - now;
  const steps = date.precision === 'time' ? STEPS : STEPS.slice(0, 4);
  const [unit, size] = steps.find(([, length]) => Math.abs(passed) >= length) ?? [
    date.precision === 'time' ? 'minute' : 'day',
    date.precision === 'time' ? DAY / 1440 : DAY,
  ];
  return relative.format(Math.trunc(passed / size), unit as Intl.RelativeTimeFormatUnit);
}
