import type { AllergyIntolerance } from '@web/fhir/types';
import { describe, expect, test } from 'vitest';
import { allergyPicture } from './allergies';

let nextId = 0;

function allergy(text: string, more: Partial<AllergyIntolerance> = {}): AllergyIntolerance {
  nextId += 1;
  return {
    resourceType: 'AllergyIntolerance',
    id: `a${nextId}`,
    patient: { reference: 'Patient/p1' },
    code: { text },
    ...more,
  };
}

function noKnown(code: string, text: string): AllergyIntolerance {
  return allergy(text, { code: { text, coding: [{ system: 'http://snomed.info/sct', code }] } });
}

function verified(code: string): Partial<AllergyIntolerance> {
  return { verificationStatus: { coding: [{ code }] } };
}

function clinical(code: string): Partial<AllergyIntolerance> {
  return { clinicalStatus: { coding: [{ code }] } };
}

function names(allergies: readonly AllergyIntolerance[]): readonly (string | undefined)[] {
  return allergies.map(({ code }) => code?.text);
}

test('nothing recorded is not "none known"', () => {
  expect(allergyPicture([])).toMatchObject({ noneKnown: false, active: [], negative: [] });
});

test('"no known allergy" is a statement of its own', () => {
  const picture = allergyPicture([noKnown('716186003', 'No known allergy')]);

  expect(picture).toMatchObject({ noneKnown: true, active: [] });
});

test('"no known drug allergy" says nothing of food', () => {
  const picture = allergyPicture([noKnown('409137002', 'No known drug allergy')]);

  expect(picture.noneKnown).toBe(false);
  expect(names(picture.negative)).toEqual(['No known drug allergy']);
});

test('an allergy on record contradicts "no known allergy"', () => {
  const picture = allergyPicture([noKnown('716186003', 'No known allergy'), allergy('Latex')]);

  expect(picture.noneKnown).toBe(false);
  expect(names(picture.active)).toEqual(['Latex']);
});

describe('what does not hold now stands apart', () => {
  const picture = allergyPicture([
    allergy('Wrong', verified('entered-in-error')),
    allergy('Refuted', verified('refuted')),
    allergy('Outgrown', clinical('resolved')),
    allergy('Dormant', clinical('inactive')),
    allergy('Present', { ...clinical('active'), ...verified('confirmed') }),
    allergy('Without status'),
  ]);

  test('active', () => expect(names(picture.active)).toEqual(['Present', 'Without status']));
  test('past', () => expect(names(picture.past)).toEqual(['Outgrown', 'Dormant']));
  test('refuted', () => expect(names(picture.refuted)).toEqual(['Refuted']));
  test('entered in error', () => expect(picture.enteredInError).toBe(1));
});

test('the most dangerous comes first, and an unknown danger before a low one', () => {
  const picture = allergyPicture([
    allergy('Low', { criticality: 'low' }),
    allergy('Unknown'),
    allergy('High', { criticality: 'high' }),
  ]);

  expect(names(picture.active)).toEqual(['High', 'Unknown', 'Low']);
});
