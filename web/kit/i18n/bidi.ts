import { currentLocale, directionOf } from './locale';

const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/**
 * Keep a piece of text together in a line that runs from right to left.
 *
 * Without it 120/80 mmHg reads 80/120, and 2 Jan 2011 reads Jan 2011 2
 * (https://www.w3.org/International/articles/inline-bidi-markup/).
 */
export function isolated(text: string): string {
  return text === '' || directionOf(currentLocale()) === 'ltr'
    ? text
    : FIRST_STRONG_ISOLATE + text + POP_ISOLATE;
}
