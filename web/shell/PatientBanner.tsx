import { useResource, useSearch } from '@web/fhir/queries';
import type { Patient } from '@web/fhir/types';
import { formatAge } from '@web/kit/format/age';
import { conceptText } from '@web/kit/format/concept';
import { formatDate, parseDate } from '@web/kit/format/date';
import { formatName, initials, knownAs } from '@web/kit/format/person';
import { Failed, Loading } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import { type AllergyPicture, allergyPicture } from '@web/kit/patient/allergies';
import { shownIdentifiers } from '@web/kit/patient/identifiers';
import { Fragment, type ReactNode } from 'react';
import { t } from './messages';
import styles from './PatientBanner.module.css';

const SHOWN_ALLERGIES = 4;

function sexText(gender: string | undefined): string {
  const known = ['male', 'female', 'other', 'unknown'] as const;
  const code = known.find((value) => value === gender);
  return t(code === undefined ? 'sex.notRecorded' : `sex.${code}`);
}

function LifeStatus({ patient }: { patient: Patient }) {
  const died = patient.deceasedDateTime;
  if (died !== undefined) {
    const age = formatAge(patient.birthDate, parseDate(died)?.start);
    return <Mark tone="act">{t('banner.died', { date: formatDate(died), age })}</Mark>;
  }
  return patient.deceasedBoolean === true ? <Mark tone="act">{t('banner.deceased')}</Mark> : null;
}

interface Fact {
  readonly name: string;
  readonly text: ReactNode;
}

function factsOf(patient: Patient): readonly Fact[] {
  const dead = patient.deceasedBoolean === true || patient.deceasedDateTime !== undefined;
  const born = patient.birthDate;
  return [
    {
      name: t('banner.born'),
      text: born === undefined ? t('banner.birthUnknown') : formatDate(born),
    },
    ...(dead ? [] : [{ name: t('banner.age'), text: formatAge(born) }]),
    { name: t('banner.sex'), text: sexText(patient.gender) },
    ...shownIdentifiers(patient)
      .slice(0, 2)
      .map((item) => ({ name: item.label ?? 'ID', text: item.value })),
  ];
}

function ActiveAllergies({ picture }: { picture: AllergyPicture }) {
  const left = picture.active.length - SHOWN_ALLERGIES;
  return (
    <ul className={styles['allergyList']}>
      {picture.active.slice(0, SHOWN_ALLERGIES).map((allergy) => (
        <li key={allergy.id}>
          {allergy.criticality === 'high' ? (
            <Mark tone="act">
              {conceptText(allergy.code)}
              <span className="visually-hidden">{t('banner.allergies.high')}</span>
            </Mark>
          ) : (
            <Mark tone="look">{conceptText(allergy.code)}</Mark>
          )}
        </li>
      ))}
      {left > 0 ? <li>{t('banner.allergies.more', { count: left })}</li> : null}
    </ul>
  );
}

/** What is known of allergies; that nothing is recorded is never shown as "none". */
function allergyText(picture: AllergyPicture): ReactNode {
  if (picture.active.length > 0) {
    return <ActiveAllergies picture={picture} />;
  }
  if (picture.noneKnown) {
    return t('banner.allergies.none');
  }
  const stated = picture.negative.map((item) => conceptText(item.code)).filter(Boolean);
  return stated.length > 0 ? (
    stated.join(', ')
  ) : (
    <>
      {t('banner.allergies.notRecorded')} <small>({t('banner.allergies.notRecorded.next')})</small>
    </>
  );
}

function Allergies({ id }: { id: string }) {
  const { data, error } = useSearch('AllergyIntolerance', { patient: id, _count: 100 });
  const text = (): ReactNode => {
    if (data !== undefined) {
      return allergyText(allergyPicture(data.resources));
    }
    return error === null ? (
      t('banner.allergies.loading')
    ) : (
      <Mark tone="act">{t('banner.allergies.failed')}</Mark>
    );
  };
  return (
    <dl className={styles['allergies']}>
      <dt>{t('banner.allergies')}</dt>
      <dd aria-live="polite">{text()}</dd>
    </dl>
  );
}

function Identity({ patient }: { patient: Patient }) {
  const called = knownAs(patient);
  return (
    <div className={styles['who']}>
      <p className={styles['name']}>
        <strong>{formatName(patient.name)}</strong>
        {called === undefined ? null : (
          <span className={styles['called']}>{t('banner.knownAs', { name: called })}</span>
        )}
        <LifeStatus patient={patient} />
        {patient.active === false ? <Mark tone="look">{t('banner.inactive')}</Mark> : null}
      </p>
      <dl className={styles['facts']}>
        {factsOf(patient).map((fact) => (
          <Fragment key={fact.name}>
            <div>
              <dt>{fact.name}</dt> <dd>{fact.text}</dd>
            </div>
          </Fragment>
        ))}
      </dl>
    </div>
  );
}

/** Whose chart this is, on top of every page of it. */
export function PatientBanner({ id }: { id: string }) {
  const { data: patient, error, refetch } = useResource('Patient', id);
  return (
    <section className={styles['banner']} aria-label={t('banner.label')}>
      {patient === undefined ? (
        <Waiting error={error} retry={() => void refetch()} />
      ) : (
        <>
          <span className={styles['initials']} aria-hidden>
            {initials(patient.name)}
          </span>
          <Identity patient={patient} />
          <Allergies id={id} />
        </>
      )}
    </section>
  );
}

function Waiting({ error, retry }: { error: unknown; retry: () => void }) {
  return error ? (
    <Failed error={error} retry={retry} />
  ) : (
    <Loading what={t('banner.noPatient')}>
      <div className={styles['waiting']} />
    </Loading>
  );
}
