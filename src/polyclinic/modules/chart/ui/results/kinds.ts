/** Observations gathered by what was measured, the latest of each kind first. */

import type { Coding, Observation, ObservationComponent, ObservationValue } from '@web/fhir/types';
import { conceptText, formatConcept } from '@web/kit/format/concept';
import { parseDate } from '@web/kit/format/date';
import { attentionOf } from '@web/kit/observation/range';
import { measuredAt } from '@web/kit/observation/value';

export const LOINC = 'http://loinc.org';

export interface Kind {
  readonly key: string;
  /** The coding under which more of the same can be searched; none where only words were sent. */
  readonly coding: Coding | undefined;
  readonly name: string;
  /** The latest first. */
  readonly observations: readonly Observation[];
}

export interface Kinds {
  readonly kinds: readonly Kind[];
  readonly enteredInError: number;
}

/** Of several codings LOINC's is the one that means the same everywhere. */
function keyCoding(observation: Observation): Coding | undefined {
  const codings = (observation.code?.coding ?? []).filter((coding) => coding.code !== undefined);
  return codings.find((coding) => coding.system === LOINC) ?? codings[0];
}

function keyOf(observation: Observation): string {
  const coding = keyCoding(observation);
  return coding === undefined
    ? `text:${formatConcept(observation.code).toLocaleLowerCase()}`
    : `${coding.system ?? ''}|${coding.code ?? ''}`;
}

/** Milliseconds since 1970; an observation without a date counts as the oldest. */
export function momentOf(observation: Observation): number {
  return parseDate(measuredAt(observation))?.start ?? Number.NEGATIVE_INFINITY;
}

function latestFirst(observations: readonly Observation[]): readonly Observation[] {
  return observations
    .map((observation) => ({ observation, at: momentOf(observation) }))
    .sort((a, b) => (a.at === b.at ? 0 : b.at - a.at))
    .map(({ observation }) => observation);
}

function isValid(observation: Observation): boolean {
  return observation.status !== 'entered-in-error';
}

/** Gather observations by kind; those entered in error are counted and left out. */
export function kindsOf(observations: readonly Observation[]): Kinds {
  const valid = observations.filter(isValid);
  const groups = new Map<string, Map<string, Observation>>();
  for (const observation of valid) {
    const key = keyOf(observation);
    const group = groups.get(key) ?? new Map<string, Observation>();
    groups.set(key, group.set(observation.id ?? '', observation));
  }
  const kinds = [...groups.entries()].map(([key, group]) => {
    const sorted = latestFirst([...group.values()]);
    return {
      key,
      coding: sorted[0] && keyCoding(sorted[0]),
      name: formatConcept(sorted[0]?.code),
      observations: sorted,
    };
  });
  return { kinds: withShortNames(kinds), enteredInError: observations.length - valid.length };
}

/** LOINC names carry the measured property in brackets; the unit says the same in fewer words. */
function shortened(name: string): string {
  return name.replace(/\s*\[[^\]]*\]/g, '');
}

function withShortNames(kinds: readonly Kind[]): readonly Kind[] {
  const uses = new Map<string, number>();
  for (const { name } of kinds) {
    uses.set(shortened(name), (uses.get(shortened(name)) ?? 0) + 1);
  }
  return kinds.map((kind) =>
    uses.get(shortened(kind.name)) === 1 ? { ...kind, name: shortened(kind.name) } : kind,
  );
}

/** A part of an observation that has a value of its own. */
export interface Part {
  readonly label: string;
  readonly value: ObservationValue;
}

function hasValue(value: ObservationValue): boolean {
  return Object.keys(value).some((key) => key.startsWith('value'));
}

const SYSTOLIC = '8480-6';
const DIASTOLIC = '8462-4';

function partOrder(component: ObservationComponent): number {
  const codes = (component.code?.coding ?? []).map((coding) => coding.code);
  return codes.includes(SYSTOLIC) ? 0 : codes.includes(DIASTOLIC) ? 1 : 2;
}

/** Return the value of an observation, or those of its components; systolic before diastolic. */
export function partsOf(observation: Observation): readonly Part[] {
  const components = [...(observation.component ?? [])].sort((a, b) => partOrder(a) - partOrder(b));
  const own =
    hasValue(observation) || components.length === 0 ? [{ label: '', value: observation }] : [];
  return [
    ...own,
    ...components.map((component) => ({
      label: conceptText(component.code) ?? '',
      value: component,
    })),
  ];
}

/** Whether the two parts are a blood pressure, which is written as one: 120/80 mmHg. */
export function isBloodPressure(observation: Observation): boolean {
  const components = observation.component ?? [];
  return (
    components.length === 2 &&
    components.map(partOrder).sort().join() === '0,1' &&
    !hasValue(observation)
  );
}

/** Whether any value of an observation stands out. */
export function standsOut(observation: Observation): boolean {
  return partsOf(observation).some((part) => attentionOf(part.value) !== undefined);
}
