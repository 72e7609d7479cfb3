import { useSyncExternalStore } from 'react';

/** The languages of the interface; each catalogue must hold all of them. */
export const LOCALES = ['en'] as const;
/** English with accents, mirrored: shows what is not translatable and what breaks right to left. */
export const PSEUDO = 'qps-plocm';

export type Locale = (typeof LOCALES)[number] | typeof PSEUDO;
export type Direction = 'ltr' | 'rtl';

const KEY = 'polyclinic.locale';
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur', PSEUDO]);

const listeners = new Set<() => void>();
let current: Locale = stored();

function isLocale(value: string | null): value is Locale {
  return value === PSEUDO || (LOCALES as readonly (string | null)[]).includes(value);
}

function stored(): Locale {
  try {
    const value = localStorage.getItem(KEY);
    return isLocale(value) ? value : 'en';
  } catch {
    return 'en';
  }
}

export function currentLocale(): Locale {
  return current;
}

/** Return the BCP 47 tag that dates and numbers are formatted by. */
export function formattingLocale(): string {
  return current === PSEUDO ? 'en' : current;
}

export function directionOf(locale: Locale): Direction {
  return RIGHT_TO_LEFT.has(locale) ? 'rtl' : 'ltr';
}

export function setLocale(locale: Locale): void {
  current = locale;
  for (const listener of listeners) {
    listener();
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Return the language of the interface and render again when it changes. */
export function useLocale(): Locale {
  return useSyncExternalStore(subscribe, currentLocale);
}
