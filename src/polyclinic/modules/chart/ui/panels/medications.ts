import type { MedicationRequest } from '@web/fhir/types';
import { conceptText, formatConcept } from '@web/kit/format/concept';
import { parseDate } from '@web/kit/format/date';

/** Codes of http://hl7.org/fhir/CodeSystem/medicationrequest-status that say "no longer". */
const PAST: ReadonlySet<string> = new Set(['cancelled', 'completed', 'stopped']);

export interface MedicationList {
  readonly current: readonly MedicationRequest[];
  readonly past: readonly MedicationRequest[];
  readonly enteredInError: number;
}

function ordered(a: MedicationRequest, b: MedicationRequest): number {
  return (parseDate(b.authoredOn)?.start ?? 0) - (parseDate(a.authoredOn)?.start ?? 0);
}

function rank(request: MedicationRequest): number {
  const index = ['active', 'on-hold', 'unknown', 'draft'].indexOf(request.status ?? '');
  return index === -1 ? 2 : index;
}

/** Sort requests into those that may be taken now and those that are over. */
export function medicationList(requests: readonly MedicationRequest[]): MedicationList {
  const valid = requests.filter((request) => request.status !== 'entered-in-error');
  const isPast = (request: MedicationRequest): boolean => PAST.has(request.status ?? '');
  return {
    current: valid
      .filter((request) => !isPast(request))
      .sort((a, b) => rank(a) - rank(b) || ordered(a, b)),
    past: valid.filter(isPast).sort(ordered),
    enteredInError: requests.length - valid.length,
  };
}

/** Whether the patient is to take it now: active, an order, and not one not to give. */
export function isTaken(request: MedicationRequest): boolean {
  return (
    request.status === 'active' &&
    request.doNotPerform !== true &&
    request.intent !== 'proposal' &&
    request.intent !== 'plan'
  );
}

/** Return the name of what was ordered. */
export function medicationName(request: MedicationRequest): string {
  return (
    conceptText(request.medicationCodeableConcept) ??
    request.medicationReference?.display ??
    request.medicationReference?.reference ??
    formatConcept(undefined)
  );
}

/** Return how it is to be taken, as it was written. */
export function doseText(request: MedicationRequest): string | undefined {
  const texts = (request.dosageInstruction ?? []).map(
    (dosage) => dosage.text ?? dosage.patientInstruction,
  );
  return texts.filter(Boolean).join('; ') || undefined;
}
