/** Records as the server sends them, with what a test does not care about left at something plain. */

export type Json = Readonly<Record<string, unknown>>;

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
let nextId = 0;

function withId(resourceType: string, fields: Json): Json {
  nextId += 1;
  return { resourceType, id: `r${nextId}`, ...fields };
}

export function coded(code: string): Json {
  return { coding: [{ code }] };
}

export function condition(text: string, fields: Json = {}): Json {
  return withId('Condition', {
    code: { text },
    clinicalStatus: coded('active'),
    verificationStatus: coded('confirmed'),
    ...fields,
  });
}

export function medication(text: string, fields: Json = {}): Json {
  return withId('MedicationRequest', {
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: { text },
    authoredOn: '2020-02-02',
    ...fields,
  });
}

export function allergy(text: string, fields: Json = {}): Json {
  return withId('AllergyIntolerance', { code: { text }, ...fields });
}

export function encounter(text: string, start: string | undefined, fields: Json = {}): Json {
  return withId('Encounter', {
    status: 'finished',
    class: { code: 'AMB' },
    type: [{ text }],
    ...(start === undefined ? {} : { period: { start } }),
    ...fields,
  });
}

export function immunization(text: string, date: string | undefined, fields: Json = {}): Json {
  return withId('Immunization', {
    status: 'completed',
    vaccineCode: { text },
    ...(date === undefined ? {} : { occurrenceDateTime: date }),
    ...fields,
  });
}

/** What was measured: its LOINC code and its name. */
export interface Test {
  readonly code: string;
  readonly text: string;
  readonly unit: string;
}

export const GLUCOSE: Test = { code: '2345-7', text: 'Glucose', unit: 'mg/dL' };
export const HBA1C: Test = { code: '4548-4', text: 'HbA1c', unit: '%' };
export const WEIGHT: Test = { code: '29463-7', text: 'Body weight', unit: 'kg' };
export const HEART_RATE: Test = { code: '8867-4', text: 'Heart rate', unit: '/min' };

export function observation(test: Test, value: number, date: string, fields: Json = {}): Json {
  return withId('Observation', {
    status: 'final',
    category: [{ coding: [{ system: CATEGORY, code: 'laboratory' }] }],
    code: { text: test.text, coding: [{ system: 'http://loinc.org', code: test.code }] },
    effectiveDateTime: date,
    valueQuantity: { value, unit: test.unit },
    ...fields,
  });
}

export function range(low: number, high: number): Json {
  return { referenceRange: [{ low: { value: low }, high: { value: high } }] };
}

export function bloodPressure(systolic: number, diastolic: number, date: string): Json {
  const part = (code: string, text: string, value: number): Json => ({
    code: { text, coding: [{ system: 'http://loinc.org', code }] },
    valueQuantity: { value, unit: 'mm[Hg]' },
  });
  return withId('Observation', {
    status: 'final',
    code: {
      text: 'Blood pressure',
      coding: [{ system: 'http://loinc.org', code: '85354-9' }],
    },
    effectiveDateTime: date,
    component: [
      part('8462-4', 'Diastolic blood pressure', diastolic),
      part('8480-6', 'Systolic blood pressure', systolic),
    ],
  });
}
