/** The words of Observation.value[x] (https://hl7.org/fhir/R4/observation-definitions.html#Observation.value_x_). */

import type { Observation, ObservationValue } from '@web/fhir/types';
import { conceptText, formatConcept } from '../format/concept';
import { formatDateTime } from '../format/date';
import { formatQuantity, formatRange } from '../format/quantity';
import { t } from './messages';

function periodText(start: string | undefined, end: string | undefined): string {
  return [start, end].map(formatDateTime).filter(Boolean).join(' – ');
}

type Writer = (value: ObservationValue) => string | undefined;

const WRITERS: readonly Writer[] = [
  (value) => formatQuantity(value.valueQuantity),
  (value) => value.valueCodeableConcept && formatConcept(value.valueCodeableConcept),
  (value) => value.valueString,
  (value) => (value.valueBoolean === undefined ? undefined : t(value.valueBoolean ? 'yes' : 'no')),
  (value) => value.valueInteger?.toString(),
  (value) => formatRange(value.valueRange),
  (value) => value.valueRatio && ratioText(value.valueRatio),
  (value) => value.valueTime,
  (value) => value.valueDateTime && formatDateTime(value.valueDateTime),
  (value) => value.valuePeriod && periodText(value.valuePeriod.start, value.valuePeriod.end),
];

function ratioText(ratio: NonNullable<ObservationValue['valueRatio']>): string | undefined {
  const numerator = formatQuantity(ratio.numerator);
  const denominator = formatQuantity(ratio.denominator);
  return numerator === undefined || denominator === undefined
    ? undefined
    : t('ratio', { numerator, denominator });
}

/** Return the words of a value, or undefined where there is none. */
export function valueText(value: ObservationValue): string | undefined {
  for (const write of WRITERS) {
    const text = write(value);
    if (text !== undefined) {
      return text;
    }
  }
  return undefined;
}

/** Return why a value is missing. */
export function absentText(value: ObservationValue): string {
  const reason = conceptText(value.dataAbsentReason);
  return reason === undefined ? t('noValue') : t('noValueBecause', { reason });
}

/** Return when the measurement was made; a time of release is not one. */
export function measuredAt(observation: Observation): string | undefined {
  return (
    observation.effectiveDateTime ??
    observation.effectiveInstant ??
    observation.effectivePeriod?.end ??
    observation.effectivePeriod?.start
  );
}
