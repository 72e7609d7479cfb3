/** What somebody types to find a patient, as the search parameters of https://hl7.org/fhir/R4/patient.html#search. */

import { type SearchParams, search } from '@web/fhir/client';
import type { Patient } from '@web/fhir/types';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ISO_DATE = /\b(?:19|20)\d{2}-\d{2}(?:-\d{2})?\b/;
const WORDED_DATE = /\b(\d{1,2})\s+([a-z]{3})[a-z]*\.?\s+((?:19|20)\d{2})\b/i;

interface Typed {
  readonly birthDate: string | undefined;
  readonly rest: string;
}

function isoOf([, day = '', month = '', year = '']: RegExpExecArray): string | undefined {
  const number = MONTHS.indexOf(month.toLowerCase()) + 1;
  return number === 0
    ? undefined
    : `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** Take a birth date out of what was typed: 1987-02-23, 1987-02 or 23 Feb 1987. Never 2/3/87. */
function withoutDate(typed: string): Typed {
  const iso = ISO_DATE.exec(typed);
  const worded = WORDED_DATE.exec(typed);
  const date = iso?.[0] ?? (worded && isoOf(worded)) ?? undefined;
  const match = iso?.[0] ?? worded?.[0];
  return date === undefined || match === undefined
    ? { birthDate: undefined, rest: typed.trim() }
    : { birthDate: date, rest: typed.replace(match, ' ').replace(/\s+/g, ' ').trim() };
}

/** Return the searches that could find whom somebody means, the most exact first. */
export function patientSearches(typed: string): readonly SearchParams[] {
  const { birthDate, rest } = withoutDate(typed);
  const born = birthDate === undefined ? {} : { birthdate: birthDate };
  if (rest === '') {
    return birthDate === undefined ? [] : [born];
  }
  const byName: SearchParams = { name: rest, ...born };
  // A name may hold digits and an identifier may hold letters, but one without a digit is rare.
  return /\d/.test(rest) && !/\s/.test(rest) ? [{ identifier: rest, ...born }, byName] : [byName];
}

export interface FoundPatients {
  readonly patients: readonly Patient[];
  readonly total: number | undefined;
}

/** Run the searches for what was typed and join what they find. */
export async function findPatients(
  typed: string,
  count: number,
  signal: AbortSignal,
): Promise<FoundPatients> {
  const pages = await Promise.all(
    patientSearches(typed).map((params) =>
      search('Patient', { ...params, _sort: 'family', _count: count }, { signal }),
    ),
  );
  const byId = new Map(
    pages.flatMap((page) => page.matches).map((patient) => [patient.id, patient]),
  );
  const complete = pages.every((page) => page.next === undefined);
  return {
    patients: [...byId.values()],
    total: complete ? byId.size : pages.length === 1 ? pages[0]?.total : undefined,
  };
}
