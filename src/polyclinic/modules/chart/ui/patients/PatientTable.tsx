import type { Patient } from '@web/fhir/types';
import { type Column, DataTable } from '@web/kit/DataTable';
import { formatAge } from '@web/kit/format/age';
import { formatDate } from '@web/kit/format/date';
import { formatName, knownAs } from '@web/kit/format/person';
import { shownIdentifiers } from '@web/kit/patient/identifiers';
import { Link } from 'wouter';
import { t } from '../messages';
import { chartPath, isDeceased, sexText } from './finder';
import styles from './Patients.module.css';

function Name({ patient }: { patient: Patient }) {
  const called = knownAs(patient);
  return (
    <>
      <Link href={chartPath(patient)} className={styles['name'] ?? ''}>
        {formatName(patient.name)}
      </Link>
      {called === undefined ? null : <span className={styles['called']}>{called}</span>}
    </>
  );
}

function columns(): readonly Column<Patient>[] {
  return [
    {
      key: 'name',
      title: t('patients.name'),
      heading: true,
      cell: (patient) => <Name patient={patient} />,
    },
    {
      key: 'born',
      title: t('patients.born'),
      cell: (patient) => formatDate(patient.birthDate) || t('patients.unknown'),
    },
    {
      key: 'age',
      title: t('patients.age'),
      cell: (patient) =>
        isDeceased(patient) ? t('patients.deceased') : formatAge(patient.birthDate),
    },
    { key: 'sex', title: t('patients.sex'), cell: sexText },
    {
      key: 'identifier',
      title: t('patients.identifier'),
      cell: (patient) => shownIdentifiers(patient)[0]?.value ?? '–',
    },
  ];
}

/** Patients with what tells them apart. */
export function PatientTable({
  caption,
  patients,
}: {
  caption: string;
  patients: readonly Patient[];
}) {
  return (
    <DataTable
      caption={caption}
      columns={columns()}
      rows={patients}
      rowKey={(patient) => patient.id ?? ''}
      stacks
    />
  );
}
