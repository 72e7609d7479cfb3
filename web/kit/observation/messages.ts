import { catalogue } from '../i18n/catalogue';

export const t = catalogue(
  {
    yes: 'Yes',
    no: 'No',
    ratio: '{numerator} to {denominator}',
    noValue: 'No value',
    noValueBecause: 'No value: {reason}',
  },
  {},
);
