/** What a resource says about itself: when, by whom, in which state; whatever its type calls it. */

import type { CodeableConcept, Reference, Resource } from '@web/fhir/types';
import { formatDateTime } from '../format/date';

type Fields = Readonly<Record<string, unknown>>;

const WHEN: readonly string[] = [
  'effectiveDateTime',
  'effectiveInstant',
  'effectivePeriod',
  'occurrenceDateTime',
  'occurrenceString',
  'performedDateTime',
  'performedPeriod',
  'performedString',
  'authoredOn',
  'recordedDate',
  'period',
];

function periodText(value: unknown): string {
  if (typeof value === 'string') {
    return formatDateTime(value);
  }
  const { start, end } = (value ?? {}) as { start?: string; end?: string };
  return [start, end].map(formatDateTime).filter(Boolean).join(' – ');
}

/** Return when it happened, or was written down. */
export function whenText(resource: Resource): string {
  const fields = resource as unknown as Fields;
  const key = WHEN.find((name) => fields[name] !== undefined);
  return key === undefined ? '' : periodText(fields[key]);
}

/** Return when it was released, where that is another thing than when it happened. */
export function issuedText(resource: Resource): string {
  return 'issued' in resource ? formatDateTime(resource.issued) : '';
}

function referencesIn(value: unknown): Reference[] {
  const items = Array.isArray(value) ? value : [value];
  return items.flatMap((item: Fields | undefined) => {
    const reference = (item?.['actor'] ?? item?.['individual'] ?? item) as Reference | undefined;
    return reference === undefined ? [] : [reference];
  });
}

const WHO: readonly string[] = ['performer', 'requester', 'asserter', 'recorder', 'participant'];

/** Return who is answerable for it, without saying anybody twice. */
export function whoOf(resource: Resource): readonly Reference[] {
  const fields = resource as unknown as Fields;
  const found = WHO.flatMap((name) => referencesIn(fields[name]));
  const seen = new Set<string>();
  return found.filter((reference) => {
    const key = reference.reference ?? reference.display ?? '';
    return key !== '' && !seen.has(key) && seen.add(key);
  });
}

/** Return the state of a resource as its code. */
export function statusText(resource: Resource): string {
  const status = (resource as unknown as Fields)['status'];
  return typeof status === 'string' ? status : '';
}

/** Return the concept that names what the resource is about. */
export function subjectConcept(resource: Resource): CodeableConcept | undefined {
  const fields = resource as unknown as Fields;
  const value = fields['code'] ?? fields['vaccineCode'] ?? fields['medicationCodeableConcept'];
  return (value ?? (fields['type'] as unknown[] | undefined)?.[0]) as CodeableConcept | undefined;
}
