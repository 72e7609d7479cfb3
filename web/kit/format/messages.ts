import { catalogue } from '../i18n/catalogue';

export const t = catalogue(
  {
    'age.days': { one: '{count} day', other: '{count} days' },
    'age.weeks': { one: '{count} week', other: '{count} weeks' },
    'age.months': { one: '{count} month', other: '{count} months' },
    'age.years': { one: '{count} year', other: '{count} years' },
    'age.about': 'about {age}',
    'age.unknown': 'unknown',
    'name.unknown': 'Name not recorded',
    'concept.unknown': 'Not named',
    'quantity.noUnit': 'no unit',
    'range.between': '{low} to {high}',
    'range.from': '{low} or more',
    'range.to': '{high} or less',
  },
  {},
);
