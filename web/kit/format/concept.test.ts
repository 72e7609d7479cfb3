import { expect, test } from 'vitest';
import { conceptText, formatCoding, formatConcept, hasCode } from './concept';

test('the text of a concept goes before its codings', () => {
  expect(formatConcept({ text: 'Sugar', coding: [{ display: 'Glucose' }] })).toBe('Sugar');
});

test('of several codings the one that a person picked is shown', () => {
  const coding = [{ display: 'General' }, { display: 'Picked', userSelected: true }];

  expect(formatConcept({ coding })).toBe('Picked');
});

test('a code without words is shown as the code', () => {
  expect(formatConcept({ coding: [{ system: 'urn:x', code: 'Q7' }] })).toBe('Q7');
});

test('a concept without anything says so', () => {
  expect(formatConcept(undefined)).toBe('Not named');
});

test('the hierarchy in a SNOMED CT name is left out, a name in brackets is not', () => {
  const system = 'http://snomed.info/sct';

  expect(conceptText({ coding: [{ system, display: 'Stroke (disorder)' }] })).toBe('Stroke');
  expect(conceptText({ coding: [{ system, display: 'Bleed (left)' }] })).toBe('Bleed (left)');
  expect(conceptText({ text: 'Worry (finding)' })).toBe('Worry (finding)');
});

test('a code counts in its own system only', () => {
  const concept = { coding: [{ system: 'urn:a', code: '1' }] };

  expect([hasCode(concept, '1', 'urn:a'), hasCode(concept, '1', 'urn:b')]).toEqual([true, false]);
});

test('a coding names its system', () => {
  expect(formatCoding({ system: 'http://loinc.org', code: '4548-4', display: 'HbA1c' })).toBe(
    'LOINC 4548-4 HbA1c',
  );
});
