import { useSearch } from '@web/fhir/queries';
import type { Immunization } from '@web/fhir/types';
import { type Fact, FactList } from '@web/kit/FactList';
import { conceptText, formatConcept } from '@web/kit/format/concept';
import { formatDate, parseDate } from '@web/kit/format/date';
import { Loaded } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { Sourced } from '@web/kit/source/Sourced';
import { When } from '@web/kit/When';
import { t } from '../messages';
import { inErrorNote } from './names';

interface Vaccine {
  readonly name: string;
  /** The latest first. */
  readonly doses: readonly Immunization[];
}

function given(immunization: Immunization): number {
  return parseDate(immunization.occurrenceDateTime)?.start ?? Number.NEGATIVE_INFINITY;
}

/** Gather doses by vaccine; one that was not given is no dose and stands alone. */
export function byVaccine(immunizations: readonly Immunization[]): readonly Vaccine[] {
  const groups = new Map<string, Immunization[]>();
  for (const immunization of [...immunizations].sort((a, b) => given(b) - given(a))) {
    const name = formatConcept(immunization.vaccineCode);
    const key = immunization.status === 'not-done' ? (immunization.id ?? name) : name;
    groups.set(key, [...(groups.get(key) ?? []), immunization]);
  }
  return [...groups.values()].map((doses) => ({
    name: formatConcept(doses[0]?.vaccineCode),
    doses,
  }));
}

function occurrence(immunization: Immunization | undefined): string | undefined {
  return immunization?.occurrenceDateTime ?? immunization?.occurrenceString;
}

function factOf({ name, doses }: Vaccine): Fact | undefined {
  const [latest] = doses;
  if (latest === undefined) {
    return undefined;
  }
  const refused = latest.status === 'not-done';
  const earlier = doses.slice(1).map((dose) => formatDate(occurrence(dose)) || t('date.unknown'));
  return {
    key: latest.id ?? name,
    title: (
      <Sourced resource={latest} label={name}>
        {name}
      </Sourced>
    ),
    marks: refused ? (
      <Mark tone="look">
        {[t('immunizations.notDone'), conceptText(latest.statusReason)].filter(Boolean).join(': ')}
      </Mark>
    ) : null,
    detail:
      doses.length > 1
        ? `${t('immunizations.doses', { count: doses.length })}: ${earlier.join(', ')}`
        : '',
    when: <When date={occurrence(latest)} otherwise={t('date.unknown')} />,
  };
}

function answerOf(immunizations: readonly Immunization[]): string {
  const [latest] = immunizations
    .filter((immunization) => immunization.status === 'completed')
    .sort((a, b) => given(b) - given(a));
  return latest === undefined
    ? t('immunizations.noneGiven')
    : t('immunizations.answer', {
        what: formatConcept(latest.vaccineCode),
        date: formatDate(occurrence(latest)) || t('date.unknown'),
      });
}

/** Vaccines with their doses, the latest first. */
export function ImmunizationsPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry } = useSearch(
    'Immunization',
    { patient: patientId, _count: 200 },
    1000,
  );
  const valid = data?.resources.filter((item) => item.status !== 'entered-in-error');
  return (
    <PanelFrame
      title={t('immunizations.title')}
      answer={valid && valid.length > 0 ? answerOf(valid) : undefined}
      footnotes={inErrorNote((data?.resources.length ?? 0) - (valid?.length ?? 0))}
    >
      <Loaded
        what={t('immunizations.title')}
        data={valid}
        error={error}
        retry={retry}
        emptyText={t('immunizations.empty')}
      >
        {(immunizations) => (
          <FactList facts={byVaccine(immunizations).flatMap((vaccine) => factOf(vaccine) ?? [])} />
        )}
      </Loaded>
    </PanelFrame>
  );
}
