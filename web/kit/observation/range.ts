import { digitsOf } from '@web/fhir/json';
import type { ObservationReferenceRange, ObservationValue, Quantity } from '@web/fhir/types';
import { hasCode, statusCode } from '../format/concept';
import { formatLike } from '../format/number';
import { formatUnit } from '../format/quantity';

export interface Deviation {
  readonly direction: 'above' | 'below' | 'inside';
  /** How far outside, in the unit of the value; undefined where the value is itself a bound ("> 20"). */
  readonly amount: string | undefined;
  readonly range: ObservationReferenceRange;
}

const REFERENCE_RANGE_MEANING = 'http://terminology.hl7.org/CodeSystem/referencerange-meaning';

/** A range for everybody: one for a sex, an age or a special state may not be this person's. */
function isGeneral(range: ObservationReferenceRange): boolean {
  const normal = range.type === undefined || hasCode(range.type, 'normal', REFERENCE_RANGE_MEANING);
  return normal && (range.appliesTo ?? []).length === 0 && range.age === undefined;
}

/** Return the one range the value can be held against; where there are several, nobody has chosen. */
export function applicableRange(value: ObservationValue): ObservationReferenceRange | undefined {
  const ranges = value.referenceRange ?? [];
  const [only] = ranges.length === 1 ? ranges : ranges.filter(isGeneral);
  const general = ranges.filter(isGeneral).length <= 1;
  return general && only !== undefined && isGeneral(only) ? only : undefined;
}

function sameUnit(bound: Quantity | undefined, value: Quantity): boolean {
  if (bound === undefined || (bound.unit === undefined && bound.code === undefined)) {
    return true;
  }
  if (bound.code !== undefined && value.code !== undefined) {
    return bound.code === value.code;
  }
  return formatUnit(bound) === formatUnit(value);
}

function difference(value: Quantity, bound: Quantity): string | undefined {
  if (value.comparator !== undefined) {
    return undefined;
  }
  const from = digitsOf(value, 'value') ?? '';
  const to = digitsOf(bound, 'value') ?? '';
  const finer = decimals(from) > decimals(to) ? from : to;
  return formatLike(Math.abs(Number(from) - Number(to)), finer);
}

function decimals(digits: string): number {
  const point = digits.indexOf('.');
  return point === -1 ? 0 : digits.length - point - 1;
}

/**
 * Whether a value surely lies beyond a bound.
 *
 * "< 5" says that the value is lower than 5: against an upper bound it proves nothing.
 */
function beyond(value: Quantity, bound: Quantity | undefined, sign: 1 | -1): boolean {
  if (value.value === undefined || bound?.value === undefined) {
    return false;
  }
  const comparator = value.comparator?.[0];
  if (comparator !== undefined) {
    return comparator === (sign === 1 ? '>' : '<') && sign * (value.value - bound.value) >= 0;
  }
  return sign * (value.value - bound.value) > 0;
}

/**
 * Return how a measured value lies to the reference range that came with it.
 *
 * Undefined where none came, where several could apply, or where units differ: nothing is then said.
 */
export function deviationOf(value: ObservationValue): Deviation | undefined {
  const quantity = value.valueQuantity;
  const range = applicableRange(value);
  if (quantity?.value === undefined || range === undefined || !hasBound(range)) {
    return undefined;
  }
  if (!sameUnit(range.low, quantity) || !sameUnit(range.high, quantity)) {
    return undefined;
  }
  if (range.high !== undefined && beyond(quantity, range.high, 1)) {
    return { direction: 'above', amount: difference(quantity, range.high), range };
  }
  if (range.low !== undefined && beyond(quantity, range.low, -1)) {
    return { direction: 'below', amount: difference(quantity, range.low), range };
  }
  return quantity.comparator === undefined
    ? { direction: 'inside', amount: undefined, range }
    : undefined;
}

function hasBound(range: ObservationReferenceRange): boolean {
  return range.low?.value !== undefined || range.high?.value !== undefined;
}

/** Codes of http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation that ask for attention. */
const INTERPRETATION = {
  critical: new Set(['AA', 'HH', 'LL', 'HU', 'LU']),
  abnormal: new Set(['A', 'H', 'L', 'POS', 'DET', 'R', 'W']),
} as const;

export type Attention = 'critical' | 'abnormal';

/** Return what the laboratory itself said about the value. */
export function reportedAttention(value: ObservationValue): Attention | undefined {
  const codes = (value.interpretation ?? []).map((concept) => statusCode(concept) ?? '');
  if (codes.some((code) => INTERPRETATION.critical.has(code))) {
    return 'critical';
  }
  return codes.some((code) => INTERPRETATION.abnormal.has(code)) ? 'abnormal' : undefined;
}

/** Whether a value stands out: by its range, or because the laboratory said so. */
export function attentionOf(value: ObservationValue): Attention | undefined {
  const deviation = deviationOf(value);
  const outside = deviation !== undefined && deviation.direction !== 'inside';
  return reportedAttention(value) ?? (outside ? 'abnormal' : undefined);
}
