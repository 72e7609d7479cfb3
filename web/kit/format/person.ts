import type { HumanName, Patient } from '@web/fhir/types';
import { t } from './messages';

/** Names to show first; a maiden or old name is never what a person is called by. */
const USE_ORDER = ['official', 'usual', undefined, 'nickname', 'anonymous', 'temp'];

function rank(name: HumanName): number {
  const index = USE_ORDER.indexOf(name.use);
  const ended = name.period?.end !== undefined;
  return (index === -1 ? USE_ORDER.length : index) + (ended ? 100 : 0);
}

/** Return the name a record is filed under. */
export function preferredName(names: readonly HumanName[] | undefined): HumanName | undefined {
  return [...(names ?? [])].sort((a, b) => rank(a) - rank(b))[0];
}

/** Return "FAMILY, Given (Title)": the order and case that tell the family name in every culture. */
export function formatName(names: readonly HumanName[] | undefined): string {
  const name = preferredName(names);
  if (name?.family === undefined) {
    return name?.text ?? joined(name?.given) ?? t('name.unknown');
  }
  const given = joined(name.given);
  const title = joined(name.prefix);
  return [
    name.family.toLocaleUpperCase(),
    given === undefined ? '' : `, ${given}`,
    title === undefined ? '' : ` (${title})`,
  ].join('');
}

/** Return "Title Given Family", as a person is spoken to. */
export function formatFullName(names: readonly HumanName[] | undefined): string {
  const name = preferredName(names);
  const parts = [...(name?.prefix ?? []), ...(name?.given ?? []), name?.family ?? null];
  return name?.text ?? joined(parts) ?? t('name.unknown');
}

/** Return the name a person uses, where it is another than the one on file. */
export function knownAs(patient: Patient): string | undefined {
  const usual = patient.name?.find((name) => name.use === 'usual' || name.use === 'nickname');
  return usual === undefined || usual === preferredName(patient.name)
    ? undefined
    : (usual.text ?? joined([...(usual.given ?? []), usual.family ?? null]));
}

/** Return the initials that stand on every page and dialog of a chart. */
export function initials(names: readonly HumanName[] | undefined): string {
  const name = preferredName(names);
  const words = (name?.text ?? '').split(/\s+/);
  const given = name?.given?.[0] ?? words[0] ?? '';
  const family = name?.family ?? (words.length > 1 ? (words.at(-1) ?? '') : '');
  return (first(given) + first(family)).toLocaleUpperCase() || '?';
}

function first(word: string): string {
  return [...word][0] ?? '';
}

/** A part may be null where only an extension says what is known of it. */
type Parts = readonly (string | null)[] | undefined;

function joined(parts: Parts): string | undefined {
  return parts?.filter(Boolean).join(' ') || undefined;
}
