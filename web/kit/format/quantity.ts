/** Quantities of https://hl7.org/fhir/R4/datatypes.html#Quantity, with the unit always there. */

import { digitsOf } from '@web/fhir/json';
import type { Quantity, Range } from '@web/fhir/types';
import { isolated } from '../i18n/bidi';
import { t } from './messages';
import { formatAllDigits, formatDigits, isRounded } from './number';

/**
 * How UCUM codes are written for people (https://ucum.org/ucum, column "print").
 *
 * "Units" is spelled out and the microgram is "mcg": U, IU and the Greek letter are on the Joint
 * Commission's "Do Not Use" list, or on its list of possible additions.
 */
const UNIT_WORDS: Readonly<Record<string, string>> = {
  '1': '',
  '{score}': '',
  '10*3/uL': '×10³/µL',
  '10*6/uL': '×10⁶/µL',
  '10*9/L': '×10⁹/L',
  '10*12/L': '×10¹²/L',
  Cel: '°C',
  '[degF]': '°F',
  '[in_i]': 'in',
  '[lb_av]': 'lb',
  'kg/m2': 'kg/m²',
  'mm[Hg]': 'mmHg',
  'cm[H2O]': 'cmH₂O',
  'mL/min/{1.73_m2}': 'mL/min/1.73 m²',
  ug: 'mcg',
  a: 'years',
  mo: 'months',
  wk: 'weeks',
  d: 'days',
  h: 'hours',
  min: 'minutes',
};

const PREFIXES: Readonly<Record<string, string>> = {
  m: 'milli-',
  u: 'micro-',
  µ: 'micro-',
  k: 'kilo-',
};

function unitWord(_: string, prefix: string, name: string): string {
  const word = name === 'U' ? 'units' : 'international units';
  return (PREFIXES[prefix] ?? '') + word;
}

function spelledOut(unit: string): string {
  return unit
    .replace(/μ|u(?=L\b)/g, 'µ')
    .replace(/(?<![A-Za-z])([mukµ]?)(\[[iI]U\]|IU|U)(?![A-Za-z\]])/g, unitWord)
    .replace(/(?<![A-Za-z])[uµ]g(?![A-Za-z])/g, 'mcg')
    .replace(/\{[^}]*\}/g, '');
}

/** Return a unit as a person writes it; undefined where none was sent. */
export function formatUnit(quantity: Pick<Quantity, 'unit' | 'code'>): string | undefined {
  const unit = quantity.unit ?? quantity.code;
  if (unit === undefined) {
    return undefined;
  }
  return UNIT_WORDS[unit] ?? spelledOut(unit);
}

const NO_SPACE: ReadonlySet<string> = new Set(['/min', '/h']);

function withUnit(number: string, unit: string | undefined): string {
  if (unit === '') {
    return number;
  }
  const space = unit !== undefined && NO_SPACE.has(unit) ? '' : '\u00a0';
  return `${number}${space}${unit ?? `(${t('quantity.noUnit')})`}`;
}

const COMPARATORS: Readonly<Record<string, string>> = { '<=': '≤', '>=': '≥' };

function number(quantity: Quantity, write: (digits: string) => string): string | undefined {
  const digits = digitsOf(quantity, 'value');
  if (digits === undefined) {
    return undefined;
  }
  const comparator = quantity.comparator ?? '';
  return (COMPARATORS[comparator] ?? comparator) + write(digits);
}

/** Return the number of a quantity without its unit, for a column whose head or tail names the unit. */
export function formatAmount(quantity: Quantity | undefined): string | undefined {
  return quantity && number(quantity, formatDigits);
}

/** Return "7.40 mmol/L"; a missing unit is said, not left out. */
export function formatQuantity(quantity: Quantity | undefined): string | undefined {
  const amount = formatAmount(quantity);
  return amount === undefined || quantity === undefined
    ? undefined
    : isolated(withUnit(amount, formatUnit(quantity)));
}

/** Return the quantity in every digit that was sent. */
export function formatExactQuantity(quantity: Quantity | undefined): string | undefined {
  const amount = quantity && number(quantity, formatAllDigits);
  return amount === undefined || quantity === undefined
    ? undefined
    : isolated(withUnit(amount, formatUnit(quantity)));
}

export function isQuantityRounded(quantity: Quantity | undefined): boolean {
  const digits = quantity && digitsOf(quantity, 'value');
  return digits !== undefined && isRounded(digits);
}

/** Return "3.5 to 5.1 mmol/L", or the one bound there is. */
export function formatRange(range: Range | undefined): string | undefined {
  const low = formatAmount(range?.low);
  const high = formatAmount(range?.high);
  const unit = formatUnit(range?.high ?? range?.low ?? {}) ?? formatUnit(range?.low ?? {});
  const tail = unit === undefined || unit === '' ? '' : `\u00a0${unit}`;
  if (low !== undefined && high !== undefined) {
    return isolated(t('range.between', { low, high }) + tail);
  }
  if (low !== undefined) {
    return t('range.from', { low: low + tail });
  }
  return high === undefined ? undefined : t('range.to', { high: high + tail });
}
