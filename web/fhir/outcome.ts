import type { OperationOutcome, OperationOutcomeIssue } from './types';

/** What went wrong, in the words a person's next step depends on. */
export type Fault =
  | 'offline'
  | 'unreachable'
  | 'signed-out'
  | 'forbidden'
  | 'not-found'
  | 'deleted'
  | 'conflict'
  | 'refused'
  | 'limited'
  | 'server';

const FAULT_BY_STATUS: Readonly<Record<number, Fault>> = {
  400: 'refused',
  401: 'signed-out',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  410: 'deleted',
  412: 'conflict',
  422: 'refused',
  429: 'limited',
};

/** An answer other than success, with the OperationOutcome that came with it. */
export class FhirError extends Error {
  readonly fault: Fault;
  readonly issues: readonly OperationOutcomeIssue[];
  /** Seconds to wait, from the Retry-After header. */
  readonly retryAfter: number | undefined;

  constructor(fault: Fault, issues: readonly OperationOutcomeIssue[] = [], retryAfter?: number) {
    super(issues.map(issueText).filter(Boolean).join(' ') || fault);
    this.name = 'FhirError';
    this.fault = fault;
    this.issues = issues;
    this.retryAfter = retryAfter;
  }
}

/** Return what an issue says to a person: its text, else its diagnostics. */
export function issueText(issue: OperationOutcomeIssue): string {
  return issue.details?.text ?? issue.diagnostics ?? '';
}

/** Return the error for an HTTP status and the body that came with it. */
export function errorFromResponse(
  status: number,
  body: unknown,
  retryAfter: string | null,
): FhirError {
  const seconds = retryAfter === null ? Number.NaN : Number.parseInt(retryAfter, 10);
  return new FhirError(
    FAULT_BY_STATUS[status] ?? 'server',
    isOutcome(body) ? (body.issue ?? []) : [],
    Number.isNaN(seconds) ? undefined : seconds,
  );
}

/** Return the error for a request that got no answer at all. */
export function errorFromSilence(): FhirError {
  return new FhirError(navigator.onLine ? 'unreachable' : 'offline');
}

export function isOutcome(body: unknown): body is OperationOutcome {
  return (
    typeof body === 'object' &&
    body !== null &&
    (body as { resourceType?: unknown }).resourceType === 'OperationOutcome'
  );
}
