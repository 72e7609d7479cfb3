import type { Encounter } from '@web/fhir/types';
import { conceptText } from '@web/kit/format/concept';
import { formatAgo, formatDate, parseDate } from '@web/kit/format/date';
import { t } from '../messages';

export interface EncounterList {
  /** Those that took place, take place or are planned, the latest first. */
  readonly shown: readonly Encounter[];
  readonly enteredInError: number;
}

function started(encounter: Encounter): number {
  return parseDate(encounter.period?.start)?.start ?? Number.NEGATIVE_INFINITY;
}

export function encounterList(encounters: readonly Encounter[]): EncounterList {
  const shown = encounters.filter((encounter) => encounter.status !== 'entered-in-error');
  return {
    shown: shown.sort((a, b) => started(b) - started(a)),
    enteredInError: encounters.length - shown.length,
  };
}

/** Names of http://terminology.hl7.org/ValueSet/v3-ActEncounterCode, for a class that was sent as its code only. */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  AMB: 'ambulatory',
  EMER: 'emergency',
  FLD: 'field',
  HH: 'home health',
  IMP: 'inpatient encounter',
  ACUTE: 'inpatient acute',
  NONAC: 'inpatient non-acute',
  OBSENC: 'observation encounter',
  PRENC: 'pre-admission',
  SS: 'short stay',
  VR: 'virtual',
};

/** Return what kind of encounter it was: its type, else its class. */
export function encounterName(encounter: Encounter): string {
  return conceptText(encounter.type?.[0]) ?? classText(encounter) ?? t('encounters.title');
}

/** Return the class of an encounter in words. */
export function classText(encounter: Encounter): string | undefined {
  const { display, code } = encounter.class ?? {};
  return display ?? CLASS_NAMES[code ?? ''] ?? code;
}

export const IN_PROGRESS: ReadonlySet<string> = new Set([
  'arrived',
  'triaged',
  'in-progress',
  'onleave',
]);
const TOOK_PLACE: ReadonlySet<string> = new Set(['finished', 'unknown', ...IN_PROGRESS]);

/** Return the one line about the latest contact. */
export function encounterAnswer({ shown }: EncounterList): string {
  const current = shown.find((encounter) => IN_PROGRESS.has(encounter.status ?? ''));
  if (current !== undefined) {
    const date = formatDate(current.period?.start) || t('date.unknown');
    return t('encounters.now', { what: encounterName(current), date });
  }
  const last = shown.find((encounter) => TOOK_PLACE.has(encounter.status ?? ''));
  return last === undefined
    ? t('encounters.noneYet')
    : t('encounters.last', {
        ago: formatAgo(last.period?.start) || t('date.unknown'),
        what: encounterName(last),
      });
}
