/** The R4 types that the UI reads. */

export interface Element {
  id?: string;
}
export interface Meta {
  versionId?: string;
  lastUpdated?: string;
  source?: string;
}
export interface Coding {
  system?: string;
  code?: string;
  display?: string;
  userSelected?: boolean;
}
export interface CodeableConcept {
  coding?: Coding[];
  text?: string;
}
export interface Reference {
  reference?: string;
  display?: string;
  type?: string;
}
export interface Identifier {
  use?: string;
  type?: CodeableConcept;
  system?: string;
  value?: string;
}
export interface Period {
  start?: string;
  end?: string;
}
export interface Quantity {
  value?: number;
  comparator?: string;
  unit?: string;
  system?: string;
  code?: string;
}
export interface Range {
  low?: Quantity;
  high?: Quantity;
}
export interface Ratio {
  numerator?: Quantity;
  denominator?: Quantity;
}
export interface HumanName {
  use?: string;
  text?: string;
  family?: string;
  given?: string[];
  prefix?: string[];
  suffix?: string[];
  period?: Period;
}
export interface Annotation {
  text?: string;
}

interface ResourceBase {
  id?: string;
  meta?: Meta;
}
export interface OperationOutcomeIssue {
  severity?: string;
  code?: string;
  details?: CodeableConcept;
  diagnostics?: string;
  expression?: string[];
}
export interface OperationOutcome extends ResourceBase {
  resourceType: 'OperationOutcome';
  issue?: OperationOutcomeIssue[];
}
export interface BundleEntry {
  fullUrl?: string;
  resource?: Resource;
  search?: { mode?: string };
}
export interface Bundle extends ResourceBase {
  resourceType: 'Bundle';
  type?: string;
  total?: number;
  link?: { relation?: string; url?: string }[];
  entry?: BundleEntry[];
}
export interface Patient extends ResourceBase {
  resourceType: 'Patient';
  active?: boolean;
  name?: HumanName[];
  gender?: string;
  birthDate?: string;
  deceasedBoolean?: boolean;
  deceasedDateTime?: string;
  identifier?: Identifier[];
}
export interface Condition extends ResourceBase {
  resourceType: 'Condition';
  clinicalStatus?: CodeableConcept;
  verificationStatus?: CodeableConcept;
  severity?: CodeableConcept;
  code?: CodeableConcept;
  onsetDateTime?: string;
  onsetAge?: Quantity;
  onsetPeriod?: Period;
  onsetRange?: Range;
  onsetString?: string;
  abatementDateTime?: string;
  abatementAge?: Quantity;
  abatementPeriod?: Period;
  abatementRange?: Range;
  abatementString?: string;
  recordedDate?: string;
  recorder?: Reference;
  asserter?: Reference;
}
export interface AllergyIntolerance extends ResourceBase {
  resourceType: 'AllergyIntolerance';
  clinicalStatus?: CodeableConcept;
  verificationStatus?: CodeableConcept;
  type?: string;
  category?: string[];
  criticality?: string;
  code?: CodeableConcept;
  recordedDate?: string;
  onsetDateTime?: string;
  recorder?: Reference;
  asserter?: Reference;
  reaction?: {
    substance?: CodeableConcept;
    manifestation?: CodeableConcept[];
    severity?: string;
  }[];
}
export interface Dosage {
  text?: string;
  patientInstruction?: string;
}
export interface MedicationRequest extends ResourceBase {
  resourceType: 'MedicationRequest';
  status?: string;
  intent?: string;
  doNotPerform?: boolean;
  statusReason?: CodeableConcept;
  medicationCodeableConcept?: CodeableConcept;
  medicationReference?: Reference;
  authoredOn?: string;
  requester?: Reference;
  recorder?: Reference;
  dosageInstruction?: Dosage[];
}
export interface ObservationReferenceRange {
  low?: Quantity;
  high?: Quantity;
  type?: CodeableConcept;
  appliesTo?: CodeableConcept[];
  age?: Range;
  text?: string;
}
export interface ObservationValue {
  valueQuantity?: Quantity;
  valueCodeableConcept?: CodeableConcept;
  valueString?: string;
  valueBoolean?: boolean;
  valueInteger?: number;
  valueRange?: Range;
  valueRatio?: Ratio;
  valueTime?: string;
  valueDateTime?: string;
  valuePeriod?: Period;
  dataAbsentReason?: CodeableConcept;
  interpretation?: CodeableConcept[];
  referenceRange?: ObservationReferenceRange[];
}
export interface ObservationComponent extends ObservationValue {
  code?: CodeableConcept;
}
export interface Observation extends ResourceBase, ObservationValue {
  resourceType: 'Observation';
  status?: string;
  category?: CodeableConcept[];
  code?: CodeableConcept;
  effectiveDateTime?: string;
  effectivePeriod?: Period;
  effectiveInstant?: string;
  issued?: string;
  performer?: Reference[];
  component?: ObservationComponent[];
  note?: Annotation[];
}
export interface Encounter extends ResourceBase {
  resourceType: 'Encounter';
  status?: string;
  class?: Coding;
  type?: CodeableConcept[];
  period?: Period;
  reasonCode?: CodeableConcept[];
  participant?: { individual?: Reference }[];
  serviceProvider?: Reference;
}
export interface Immunization extends ResourceBase {
  resourceType: 'Immunization';
  status?: string;
  statusReason?: CodeableConcept;
  vaccineCode?: CodeableConcept;
  occurrenceDateTime?: string;
  occurrenceString?: string;
  performer?: { actor?: Reference }[];
  recorded?: string;
}
export interface Procedure extends ResourceBase {
  resourceType: 'Procedure';
  status?: string;
  code?: CodeableConcept;
  performedDateTime?: string;
  performedPeriod?: Period;
  performedString?: string;
  performer?: { actor?: Reference }[];
  recorder?: Reference;
}
export interface Practitioner extends ResourceBase {
  resourceType: 'Practitioner';
  name?: HumanName[];
}
export interface Provenance extends ResourceBase {
  resourceType: 'Provenance';
  recorded?: string;
  agent?: { who?: Reference; type?: CodeableConcept }[];
}

interface ResourceByType {
  Patient: Patient;
  Condition: Condition;
  AllergyIntolerance: AllergyIntolerance;
  MedicationRequest: MedicationRequest;
  Observation: Observation;
  Encounter: Encounter;
  Immunization: Immunization;
  Procedure: Procedure;
  Practitioner: Practitioner;
  Provenance: Provenance;
  Bundle: Bundle;
  OperationOutcome: OperationOutcome;
}
export type ResourceType = keyof ResourceByType;
export type ResourceOf<T extends ResourceType> = ResourceByType[T];
export type Resource = ResourceByType[ResourceType];
