import type { Patient } from '@web/fhir/types';
import { formatAge } from '@web/kit/format/age';
import { formatDate } from '@web/kit/format/date';
import { formatName } from '@web/kit/format/person';
import type { Finder, Finding } from '@web/kit/module';
import { shownIdentifiers } from '@web/kit/patient/identifiers';
import { t } from '../messages';
import { findPatients } from './search';

const MOST = 8;

/** Return the sex on record in words. */
export function sexText(patient: Patient): string {
  const known = ['male', 'female', 'other', 'unknown'] as const;
  const code = known.find((value) => value === patient.gender);
  return code === undefined ? t('patients.unknown') : t(`sex.${code}`);
}

/** Return the address of a patient's chart. */
export function chartPath(patient: Patient): string {
  return `/patients/${patient.id ?? ''}`;
}

/** Whether a patient has died. */
export function isDeceased(patient: Patient): boolean {
  return patient.deceasedBoolean === true || patient.deceasedDateTime !== undefined;
}

function findingOf(patient: Patient): Finding {
  const born = formatDate(patient.birthDate) || t('patients.unknown');
  const [identifier] = shownIdentifiers(patient);
  const life = isDeceased(patient) ? t('patients.deceased') : formatAge(patient.birthDate);
  return {
    key: `patient-${patient.id ?? ''}`,
    title: formatName(patient.name),
    detail: [born, life, sexText(patient), identifier?.value].filter(Boolean).join(' · '),
    path: chartPath(patient),
  };
}

/** Finds patients from the command palette. */
export const PATIENT_FINDER: Finder = {
  key: 'patients',
  title: () => t('patients.title'),
  find: async (query, signal) =>
    (await findPatients(query, MOST, signal)).patients.slice(0, MOST).map(findingOf),
};
