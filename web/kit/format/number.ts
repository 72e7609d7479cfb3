import { formattingLocale } from '../i18n/locale';

/** More significant digits than this come from arithmetic, not from a measurement. */
const MEASURED_DIGITS = 6;
const SHOWN_DIGITS = 3;

const SIGNS = new Map<string, string>();

function decimalSign(): string {
  const locale = formattingLocale();
  const parts = () => new Intl.NumberFormat(locale).formatToParts(0.5);
  const sign = SIGNS.get(locale) ?? parts().find(({ type }) => type === 'decimal')?.value ?? '.';
  SIGNS.set(locale, sign);
  return sign;
}

function significant(digits: string): number {
  return digits
    .replace(/[eE].*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+/, '').length;
}

/** Whether `formatDigits` would leave out digits of this number. */
export function isRounded(digits: string): boolean {
  return digits.includes('.') && significant(digits) > MEASURED_DIGITS;
}

/** One decimal from ten on, two from one on, three digits below: what a reader can use. */
function rounded(digits: string): string {
  const value = Number(digits);
  const size = Math.abs(value);
  if (size < 1) {
    return String(Number(value.toPrecision(SHOWN_DIGITS)));
  }
  return value.toFixed(size < 10 ? 2 : 1);
}

/** Return a number in its digits as sent (1.00 stays 1.00), with the sign of the reader's language. */
export function formatAllDigits(digits: string): string {
  return digits.replace('.', decimalSign());
}

/** Return a number in its digits as sent; only digits that no instrument measures are rounded away. */
export function formatDigits(digits: string): string {
  return formatAllDigits(isRounded(digits) ? rounded(digits) : digits);
}

/** Return a computed number with as many decimals as the number it is compared with. */
export function formatLike(value: number, digits: string): string {
  const shown = isRounded(digits) ? rounded(digits) : digits;
  const decimals = shown.includes('.') ? shown.length - shown.indexOf('.') - 1 : 0;
  return formatAllDigits(value.toFixed(decimals));
}

/** Return a count with the grouping of the reader's language, such as "10,000". */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(formattingLocale()).format(count);
}
