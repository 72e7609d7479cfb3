import type { Condition, Quantity } from '@web/fhir/types';
import { statusCode } from '@web/kit/format/concept';
import { formatDate, parseDate } from '@web/kit/format/date';
import { formatQuantity, formatRange } from '@web/kit/format/quantity';
import { t } from '../messages';

/** Codes of http://terminology.hl7.org/CodeSystem/condition-clinical that say "not now". */
const PAST: ReadonlySet<string> = new Set(['inactive', 'remission', 'resolved']);
/** Codes of http://terminology.hl7.org/CodeSystem/condition-ver-status that say "not sure". */
const UNSURE: ReadonlySet<string> = new Set(['unconfirmed', 'provisional', 'differential']);

export interface ProblemList {
  readonly active: readonly Condition[];
  readonly past: readonly Condition[];
  readonly refuted: readonly Condition[];
  readonly enteredInError: number;
}

type Kind = 'active' | 'past' | 'refuted' | 'inError';

function kindOf(condition: Condition): Kind {
  const verification = statusCode(condition.verificationStatus);
  if (verification === 'entered-in-error') {
    return 'inError';
  }
  if (verification === 'refuted') {
    return 'refuted';
  }
  // Without a status a problem is shown among the active ones: to overlook it would be worse.
  return PAST.has(statusCode(condition.clinicalStatus) ?? '') ? 'past' : 'active';
}

function began(condition: Condition): number {
  const date = condition.onsetDateTime ?? condition.onsetPeriod?.start ?? condition.recordedDate;
  return parseDate(date)?.start ?? Number.NEGATIVE_INFINITY;
}

/** Sort conditions by what they mean now, the latest first. */
export function problemList(conditions: readonly Condition[]): ProblemList {
  const of = (kind: Kind): Condition[] =>
    conditions
      .filter((condition) => kindOf(condition) === kind)
      .sort((a, b) => began(b) - began(a));
  return {
    active: of('active'),
    past: of('past'),
    refuted: of('refuted'),
    enteredInError: of('inError').length,
  };
}

export function isUnsure(condition: Condition): boolean {
  return UNSURE.has(statusCode(condition.verificationStatus) ?? '');
}

function ageText(age: Quantity | undefined): string | undefined {
  const text = formatQuantity(age);
  return text === undefined ? undefined : t('problems.age', { age: text });
}

/** Return when a problem began, in whichever form it was recorded. */
export function onsetText(condition: Condition): string | undefined {
  const date = condition.onsetDateTime ?? condition.onsetPeriod?.start;
  if (date !== undefined) {
    return t('problems.since', { date: formatDate(date) });
  }
  return ageText(condition.onsetAge) ?? condition.onsetString ?? formatRange(condition.onsetRange);
}

/** Return when a problem ended, in whichever form it was recorded. */
export function abatementText(condition: Condition): string | undefined {
  const date = condition.abatementDateTime ?? condition.abatementPeriod?.end;
  if (date !== undefined) {
    return t('problems.until', { date: formatDate(date) });
  }
  const other = condition.abatementString ?? formatRange(condition.abatementRange);
  return ageText(condition.abatementAge) ?? other;
}
