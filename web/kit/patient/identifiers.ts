import type { Identifier, Patient } from '@web/fhir/types';
import { conceptText, hasCode } from '../format/concept';

const IDENTIFIER_TYPE = 'http://terminology.hl7.org/CodeSystem/v2-0203';
/** Type codes of table v2-0203 that tell a patient from another, in the order in which a clinic asks for them. */
const CLINIC_ORDER = ['MR', 'PI', 'NI', 'NH', 'JHN', 'PN', 'MA', 'MC'];
/** Numbers that open doors elsewhere: not shown where anybody can look over a shoulder. */
const PRIVATE: readonly string[] = ['SS', 'DL', 'PPN', 'BC', 'TAX'];

function rank(identifier: Identifier): number {
  const index = CLINIC_ORDER.findIndex((code) => hasCode(identifier.type, code, IDENTIFIER_TYPE));
  return index === -1 ? CLINIC_ORDER.length : index;
}

export interface ShownIdentifier {
  readonly label: string | undefined;
  readonly value: string;
}

/** Return the identifiers for a banner, the clinic's own record number first. */
export function shownIdentifiers(patient: Patient): readonly ShownIdentifier[] {
  const shown = (patient.identifier ?? []).filter(
    (identifier) =>
      identifier.value !== undefined &&
      identifier.use !== 'old' &&
      !PRIVATE.some((code) => hasCode(identifier.type, code, IDENTIFIER_TYPE)),
  );
  const seen = new Set<string>();
  return [...shown]
    .sort((a, b) => rank(a) - rank(b))
    .map((identifier) => ({
      label: conceptText(identifier.type),
      value: identifier.value ?? '',
    }))
    .filter(({ value }) => !seen.has(value) && seen.add(value));
}
