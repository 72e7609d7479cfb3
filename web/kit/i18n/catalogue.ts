import { isolated } from './bidi';
import { currentLocale, formattingLocale, type Locale, PSEUDO } from './locale';

/** A message that depends on `{count}`, by the plural categories of CLDR. */
export type Plural = Readonly<{ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>>;
export type Message = string | Plural;
export type Messages = Readonly<Record<string, Message>>;

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;
type NamesOf<M extends Message> = M extends string
  ? Names<M>
  : M extends { other: infer Other extends string }
    ? Names<Other> | 'count'
    : never;
type Params<M extends Message> = Readonly<
  Record<Exclude<NamesOf<M>, 'count'>, string | number> &
    ('count' extends NamesOf<M> ? { count: number } : unknown)
>;
type Args<M extends Message> = [NamesOf<M>] extends [never] ? [] : [params: Params<M>];

export type Translate<M extends Messages> = <K extends keyof M & string>(
  key: K,
  ...args: Args<M[K]>
) => string;

type Translated = Exclude<Locale, 'en' | typeof PSEUDO>;
/** Every other language, key for key: one that lacks a message does not compile. */
export type Translations<M extends Messages> = Readonly<
  Record<Translated, Readonly<Record<keyof M, Message>>>
>;

const ACCENTS: Readonly<Record<string, string>> = {
  a: 'á',
  c: 'ç',
  e: 'é',
  i: 'í',
  n: 'ñ',
  o: 'ó',
  s: 'š',
  u: 'ú',
  y: 'ý',
};

function accented(text: string): string {
  return text.replace(/\{\w+\}|[aceinosuy]/g, (part) => ACCENTS[part] ?? part);
}

function formOf(message: Message, count: unknown): string {
  if (typeof message === 'string') {
    return message;
  }
  const rule = new Intl.PluralRules(formattingLocale()).select(Number(count));
  return message[rule] ?? message.other;
}

function fill(text: string, params: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => isolated(String(params[name] ?? '')));
}

/**
 * Return the function that gives the messages of one folder their words.
 *
 * English is the source: its keys and its `{names}` are the types the callers are held to.
 */
export function catalogue<const M extends Messages>(
  en: M,
  translations: Translations<M>,
): Translate<M> {
  const others = translations as Readonly<Record<string, Messages>>;
  return (key, ...args) => {
    const locale = currentLocale();
    const params = (args[0] ?? {}) as Readonly<Record<string, string | number>>;
    const message = (others[locale] ?? (en as Messages))[key] ?? key;
    const text = formOf(message, params['count']);
    return fill(locale === PSEUDO ? accented(text) : text, params);
  };
}
