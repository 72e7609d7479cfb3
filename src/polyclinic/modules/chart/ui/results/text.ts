import type { Observation, ObservationValue } from '@web/fhir/types';
import { usualInterval } from '@web/kit/chart/series';
import { formatAgo, formatDate, parseDate } from '@web/kit/format/date';
import { formatAmount, formatUnit, isQuantityRounded } from '@web/kit/format/quantity';
import { isolated } from '@web/kit/i18n/bidi';
import { absentText, measuredAt, valueText } from '@web/kit/observation/value';
import { t } from '../messages';
import { isBloodPressure, type Kind, momentOf, partsOf } from './kinds';

/** Return a value in words, and a missing one with its reason. */
export function partText(value: ObservationValue): string {
  return valueText(value) ?? absentText(value);
}

/** Return all values of an observation in words: "120/80 mmHg". */
export function resultText(observation: Observation): string {
  const parts = partsOf(observation);
  if (isBloodPressure(observation)) {
    return isolated(`${systolicText(observation)}/${partText(parts[1]?.value ?? {})}`);
  }
  return parts
    .map(({ label, value }) => [label, partText(value)].filter(Boolean).join(' '))
    .join(', ');
}

/** Return the systolic pressure, without its unit where the diastolic one repeats it. */
export function systolicText(observation: Observation): string {
  const [systolic, diastolic] = partsOf(observation);
  const first = systolic?.value.valueQuantity;
  const second = diastolic?.value.valueQuantity;
  const amount = formatAmount(first);
  const sameUnit = formatUnit(first ?? {}) === formatUnit(second ?? {});
  return amount !== undefined && sameUnit && second?.value !== undefined
    ? amount
    : partText(systolic?.value ?? {});
}

/** Whether digits of an observation were left out on screen. */
export function isResultRounded(observation: Observation): boolean {
  return partsOf(observation).some((part) => isQuantityRounded(part.value.valueQuantity));
}

interface Step {
  readonly key: 'results.up' | 'results.down' | 'results.same';
  readonly observation: Observation;
}

function sameUnits(a: ObservationValue, b: ObservationValue): boolean {
  const [first, second] = [a.valueQuantity, b.valueQuantity];
  return (
    first !== undefined &&
    second !== undefined &&
    formatUnit(first) !== undefined &&
    formatUnit(first) === formatUnit(second)
  );
}

/** Return how a number changed against the one before, where both are plain and in one unit. */
function stepOf({ observations }: Kind): Step | undefined {
  const [latest, before] = observations;
  if (latest === undefined || before === undefined || !sameUnits(latest, before)) {
    return undefined;
  }
  const [now, then] = [latest.valueQuantity, before.valueQuantity];
  if (now?.value === undefined || then?.value === undefined || now.comparator || then.comparator) {
    return undefined;
  }
  const change = Math.sign(now.value - then.value);
  const key = change > 0 ? 'results.up' : change < 0 ? 'results.down' : 'results.same';
  return { key, observation: before };
}

/** Return "up from 7.4 % on 3 Mar 2026", or nothing where it cannot be said. */
export function changeText(kind: Kind): string | undefined {
  const step = stepOf(kind);
  const date = step && measuredAt(step.observation);
  return step === undefined || date === undefined
    ? undefined
    : t(step.key, { value: resultText(step.observation), date: formatDate(date) });
}

/** Return "HbA1c 8.1 % 3 days ago, up from 7.4 % on 3 Mar 2026". */
export function kindAnswer(kind: Kind): string {
  const [latest] = kind.observations;
  const value = latest === undefined ? '' : resultText(latest);
  const ago = formatAgo(latest && measuredAt(latest)) || t('date.unknown');
  return [t('results.answer', { kind: kind.name, value, ago }), changeText(kind)]
    .filter(Boolean)
    .join(', ');
}

const STALE = 2;

/** Whether the latest value is older than twice this patient's usual interval. */
export function isStale({ observations }: Kind, now: number = Date.now()): boolean {
  const points = observations
    .map((observation) => ({ at: momentOf(observation), value: 0 }))
    .filter(({ at }) => Number.isFinite(at))
    .reverse();
  const usual = usualInterval(points);
  const latest = points.at(-1);
  return usual !== undefined && latest !== undefined && now - latest.at > STALE * usual;
}

const STATUS_WORDS: Readonly<Record<string, () => string>> = {
  preliminary: () => t('results.status.preliminary'),
  registered: () => t('results.status.registered'),
  amended: () => t('results.status.amended'),
  corrected: () => t('results.status.corrected'),
  cancelled: () => t('results.status.cancelled'),
  unknown: () => t('results.status.unknown'),
};

/** Return the state of a result where it is not simply final. */
export function statusWord(observation: Observation): string | undefined {
  return STATUS_WORDS[observation.status ?? 'unknown']?.();
}

/** Return the date of the oldest of many observations. */
export function oldestDate(observations: readonly Observation[]): string {
  const dates = observations
    .map(measuredAt)
    .filter((date) => parseDate(date) !== undefined)
    .sort((a, b) => (parseDate(a)?.start ?? 0) - (parseDate(b)?.start ?? 0));
  return formatDate(dates[0]) || t('date.unknown');
}
