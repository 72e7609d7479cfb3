import type { CodeableConcept, Coding } from '@web/fhir/types';
import { t } from './messages';

/** The coding a person picked, else the first with words. */
export function preferredCoding(concept: CodeableConcept | undefined): Coding | undefined {
  const codings = concept?.coding ?? [];
  return (
    codings.find((coding) => coding.userSelected === true) ??
    codings.find((coding) => coding.display !== undefined) ??
    codings[0]
  );
}

/** Return the words of a concept: its text, else a display, else the bare code. */
export function formatConcept(concept: CodeableConcept | undefined): string {
  return conceptText(concept) ?? t('concept.unknown');
}

const SNOMED = 'http://snomed.info/sct';
/** The end of a fully specified SNOMED CT name, which says the hierarchy and nothing about the patient. */
const SEMANTIC_TAG =
  / \((?:disorder|finding|procedure|situation|event|regime\/therapy|substance|product|qualifier value|observable entity|morphologic abnormality|clinical drug|medicinal product|person|organism)\)$/;

/** Return the words of a concept, or undefined where it has none. */
export function conceptText(concept: CodeableConcept | undefined): string | undefined {
  const coding = preferredCoding(concept);
  // Zero-width spaces in a name would make equal names differ.
  const text = (concept?.text ?? coding?.display ?? coding?.code)?.replace(/\u200b/g, '');
  const fromSnomed = (concept?.coding ?? []).some(({ system }) => system === SNOMED);
  return fromSnomed ? text?.replace(SEMANTIC_TAG, '') : text;
}

/** Whether a concept has this code, in the system where one is given. */
export function hasCode(
  concept: CodeableConcept | undefined,
  code: string,
  system?: string,
): boolean {
  return (concept?.coding ?? []).some(
    (coding) => coding.code === code && (system === undefined || coding.system === system),
  );
}

/** Return the code of a status that is bound to one code system. */
export function statusCode(concept: CodeableConcept | undefined): string | undefined {
  return concept?.coding?.find((coding) => coding.code !== undefined)?.code;
}

/** Names of code systems by their URI (https://hl7.org/fhir/R4/terminologies-systems.html). */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  'http://snomed.info/sct': 'SNOMED CT',
  'http://loinc.org': 'LOINC',
  'http://www.nlm.nih.gov/research/umls/rxnorm': 'RxNorm',
  'http://hl7.org/fhir/sid/cvx': 'CVX',
  'http://hl7.org/fhir/sid/icd-10': 'ICD-10',
  'http://hl7.org/fhir/sid/icd-10-cm': 'ICD-10-CM',
  'http://hl7.org/fhir/sid/ndc': 'NDC',
  'http://www.whocc.no/atc': 'ATC',
  'http://unitsofmeasure.org': 'UCUM',
};

/** Return a coding as "LOINC 4548-4 Hemoglobin A1c". */
export function formatCoding(coding: Coding): string {
  const system = coding.system && (SYSTEM_NAMES[coding.system] ?? coding.system);
  return [system, coding.code, coding.display].filter(Boolean).join(' ');
}
