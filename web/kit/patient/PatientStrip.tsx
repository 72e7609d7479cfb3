import { usePatientScope, useResource } from '@web/fhir/queries';
import { formatDate } from '../format/date';
import { formatName, initials } from '../format/person';
import { t } from '../messages';
import { shownIdentifiers } from './identifiers';
import styles from './PatientStrip.module.css';

/** Whose record this is: on every dialog of a chart, so that nothing is read for the wrong patient. */
export function PatientStrip() {
  const id = usePatientScope();
  const { data } = useResource('Patient', id);
  if (id === undefined || data === undefined) {
    return null;
  }
  const [identifier] = shownIdentifiers(data);
  return (
    <p className={styles['strip']}>
      <span className={styles['initials']} aria-hidden>
        {initials(data.name)}
      </span>
      <span>
        {formatName(data.name)} · {t('patient.born')} {formatDate(data.birthDate) || '–'} ·{' '}
        {identifier?.value ?? t('patient.noId')}
      </span>
    </p>
  );
}
