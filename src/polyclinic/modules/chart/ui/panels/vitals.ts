import { useQueries } from '@tanstack/react-query';
import { type SearchPage, search } from '@web/fhir/client';
import { type Pages, usePatientScope, useSearch } from '@web/fhir/queries';
import type { Observation } from '@web/fhir/types';
import { parseDate } from '@web/kit/format/date';
import { measuredAt } from '@web/kit/observation/value';
import { type Kind, type Kinds, kindsOf, LOINC } from '../results/kinds';

/**
 * The usual vital signs in the order of http://hl7.org/fhir/ValueSet/observation-vitalsignresult, the panels
 * and the components of the blood pressure left out. 55284-4 is LOINC's older code of that panel.
 */
export const VITAL_SIGNS: readonly string[] = [
  '85354-9', // Blood pressure panel
  '55284-4', // Blood pressure systolic and diastolic
  '8867-4', // Heart rate
  '9279-1', // Respiratory rate
  '2708-6', // Oxygen saturation in arterial blood
  '8310-5', // Body temperature
  '29463-7', // Body weight
  '8302-2', // Body height
  '39156-5', // Body mass index
  '9843-4', // Head circumference
];

const LATEST = 200;
const EACH = 30;

export interface Vitals {
  readonly found: Kinds | undefined;
  readonly latest: Pages<Observation>;
  /** How many of the searches for a single vital sign answered. */
  readonly asked: number;
  readonly answered: number;
}

function seenCodes(observations: readonly Observation[]): ReadonlySet<string> {
  return new Set(
    observations.flatMap((observation) =>
      (observation.code?.coding ?? []).flatMap((coding) => coding.code ?? []),
    ),
  );
}

function rank(kind: Kind): number {
  const index = VITAL_SIGNS.indexOf(kind.coding?.code ?? '');
  return index === -1 ? VITAL_SIGNS.length : index;
}

function latestOf(kind: Kind): number {
  const [latest] = kind.observations;
  return parseDate(latest && measuredAt(latest))?.start ?? 0;
}

/** Put kinds in the order of the value set, others after them by how recent they are. */
export function inVitalOrder(kinds: readonly Kind[]): readonly Kind[] {
  return [...kinds].sort((a, b) => rank(a) - rank(b) || latestOf(b) - latestOf(a));
}

/**
 * Load the latest vital signs, and each usual one by itself where the latest do not hold it: a weight of last
 * year must not vanish behind ten thousand heart rates of a watch.
 */
export function useVitals(patientId: string): Vitals {
  const patient = usePatientScope();
  const latest = useSearch(
    'Observation',
    {
      patient: patientId,
      category: 'vital-signs',
      _sort: '-date',
      _count: LATEST,
      _total: 'accurate',
    },
    LATEST,
  );
  const { data } = latest;
  const seen = seenCodes(data?.resources ?? []);
  const missing =
    data === undefined || data.complete ? [] : VITAL_SIGNS.filter((code) => !seen.has(code));
  const single = useQueries({
    queries: missing.map((code) => {
      const params = {
        patient: patientId,
        code: `${LOINC}|${code}`,
        _sort: '-date',
        _count: EACH,
      };
      return {
        queryKey: ['search', 'Observation', params, patient],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          search('Observation', params, { signal, patient }) as Promise<SearchPage<Observation>>,
      };
    }),
  });
  const extra = single.flatMap((result) => result.data?.matches ?? []);
  const found = data && kindsOf([...data.resources, ...extra]);
  return {
    found: found && { ...found, kinds: inVitalOrder(found.kinds) },
    latest,
    asked: missing.length,
    answered: missing.length - single.filter((result) => result.isError).length,
  };
}
