import { t } from '../messages';

/** About one line of a panel. */
const MOST_LETTERS = 64;

/** Return as many names as fit one line, and how many more there are; nothing where none fits. */
export function namesText(names: readonly string[]): string {
  let shown = 0;
  let letters = 0;
  for (const name of names) {
    letters += name.length + 2;
    if (letters > MOST_LETTERS) {
      break;
    }
    shown += 1;
  }
  const left = names.length - shown;
  const text = names.slice(0, shown).join(', ');
  return left > 0 && shown > 0 ? t('names.andMore', { names: text, count: left }) : text;
}

/** Return "2 active medications: A, B", without the colon where no name fits. */
export function withNames(what: string, names: readonly string[]): string {
  const text = namesText(names);
  return text === '' ? what : t('names.after', { what, names: text });
}

/** Return the footnote on records entered in error, where there are any. */
export function inErrorNote(count: number): readonly string[] {
  return count === 0 ? [] : [t('footnote.inError', { count })];
}
