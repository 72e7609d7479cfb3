import type { AllergyIntolerance } from '@web/fhir/types';
import { statusCode } from '../format/concept';

/**
 * Statements that somebody asked and there is none: 716186003 and what is below it in SNOMED CT, as the R4
 * value set http://hl7.org/fhir/ValueSet/allergyintolerance-code admits them; and the codes of the
 * International Patient Summary (http://hl7.org/fhir/uv/ips/ValueSet/absent-or-unknown-allergies-uv-ips).
 */
const NO_KNOWN: Readonly<Record<string, readonly string[]>> = {
  'http://snomed.info/sct': [
    '716186003', // No known allergy
    '429625007', // No known food allergy
    '409137002', // No known drug allergy
    '428197003', // No known insect allergy
    '428607008', // No known environmental allergy
    '716184000', // No known latex allergy
    '1003774007', // No known Hevea brasiliensis latex allergy
    '716220001', // No known animal allergy
  ],
  'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips': [
    'no-known-allergies',
    'no-known-medication-allergies',
    'no-known-environmental-allergies',
    'no-known-food-allergies',
    'no-allergy-info',
  ],
};
const NO_KNOWN_AT_ALL: ReadonlySet<string> = new Set(['716186003', 'no-known-allergies']);

export interface AllergyPicture {
  /** Allergies and intolerances that hold now, the most dangerous first. */
  readonly active: readonly AllergyIntolerance[];
  readonly past: readonly AllergyIntolerance[];
  /** "No known drug allergy" and its like. */
  readonly negative: readonly AllergyIntolerance[];
  readonly refuted: readonly AllergyIntolerance[];
  readonly enteredInError: number;
  /** Whether somebody stated that there is no allergy of any kind, and no record speaks against it. */
  readonly noneKnown: boolean;
}

/** Return the code of a "no known ..." statement. */
function negation(allergy: AllergyIntolerance): string | undefined {
  return allergy.code?.coding?.find(
    ({ system, code }) => code !== undefined && (NO_KNOWN[system ?? ''] ?? []).includes(code),
  )?.code;
}

type Kind = 'active' | 'past' | 'negative' | 'refuted' | 'enteredInError';

function kindOf(allergy: AllergyIntolerance): Kind {
  const verification = statusCode(allergy.verificationStatus);
  if (verification === 'entered-in-error') {
    return 'enteredInError';
  }
  if (verification === 'refuted') {
    return 'refuted';
  }
  const clinical = statusCode(allergy.clinicalStatus);
  if (clinical === 'inactive' || clinical === 'resolved') {
    return 'past';
  }
  return negation(allergy) === undefined ? 'active' : 'negative';
}

const DANGER = ['high', 'unable-to-assess', undefined, 'low'];

/** An unknown danger ranks above a low one: not knowing is no comfort. */
function danger(allergy: AllergyIntolerance): number {
  const index = DANGER.indexOf(allergy.criticality);
  return index === -1 ? 1 : index;
}

/** Sort what is recorded about allergies by what it means for care. */
export function allergyPicture(allergies: readonly AllergyIntolerance[]): AllergyPicture {
  const of = (kind: Kind): AllergyIntolerance[] =>
    allergies.filter((allergy) => kindOf(allergy) === kind);
  const active = of('active').sort((a, b) => danger(a) - danger(b));
  const negative = of('negative');
  return {
    active,
    past: of('past'),
    negative,
    refuted: of('refuted'),
    enteredInError: of('enteredInError').length,
    noneKnown:
      active.length === 0 &&
      negative.some((allergy) => NO_KNOWN_AT_ALL.has(negation(allergy) ?? '')),
  };
}
