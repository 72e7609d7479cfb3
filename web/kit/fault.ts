import { type Fault, FhirError } from '@web/fhir/outcome';
import { t } from './messages';

function faultOf(error: unknown): Fault | 'crash' {
  return error instanceof FhirError ? error.fault : 'crash';
}

/** Return what happened, in one sentence. */
export function messageOfFault(error: unknown): string {
  return t(`fault.${faultOf(error)}`);
}

/** Return what to do next. */
export function nextStepOfFault(error: unknown): string {
  return t(`fault.${faultOf(error)}.next`);
}

const FINAL: ReadonlySet<string> = new Set(['forbidden', 'not-found', 'deleted', 'refused']);

/** Whether asking once more could give another answer. */
export function isFaultRetryable(error: unknown): boolean {
  return !FINAL.has(faultOf(error));
}
