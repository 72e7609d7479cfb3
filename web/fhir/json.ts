/**
 * JSON that keeps the digits of decimals: 1.00 stays 1.00.
 *
 * FHIR requires that the precision of a decimal survives (https://hl7.org/fhir/R4/datatypes.html#decimal).
 * `JSON.parse` turns 1.00 into 1, so the digits are kept beside the object that holds the number. They belong
 * to that very object: a deep copy of it loses them, a spread of its parent does not.
 */

type Holder = object;

const DIGITS = new WeakMap<Holder, Map<string, string>>();

/** A number whose digits a double may not print back: a trailing zero, an exponent, or 16 digits and more. */
const LOSSY = /-?\d+\.\d*0(?=[\s,}\]])|\d[eE][+-]?\d|\d{16}|\.\d{15}/;

interface Source {
  source?: string;
}

function keepDigits(this: Holder, key: string, value: unknown, context?: Source): unknown {
  const source = context?.source;
  if (typeof value === 'number' && source !== undefined && source !== String(value)) {
    const digits = DIGITS.get(this) ?? new Map<string, string>();
    digits.set(key, source);
    DIGITS.set(this, digits);
  }
  return value;
}

type Reviver = (this: Holder, key: string, value: unknown, context?: Source) => unknown;
const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown;

/** Parse JSON; ask `digitsOf` for a number as it was sent. */
export function parseJson(text: string): unknown {
  return LOSSY.test(text) ? parse(text, keepDigits) : parse(text);
}

/** Return the digits in which the number under `key` was sent, or undefined where it is no number. */
export function digitsOf<T extends Holder>(holder: T, key: keyof T & string): string | undefined {
  const value: unknown = holder[key];
  return typeof value === 'number' ? (DIGITS.get(holder)?.get(key) ?? String(value)) : undefined;
}

interface RawJson {
  rawJSON?: (text: string) => unknown;
}

function restoreDigits(this: Holder, key: string, value: unknown): unknown {
  if (typeof value !== 'number') {
    return value;
  }
  const digits = DIGITS.get(this)?.get(key);
  const raw = (JSON as RawJson).rawJSON;
  // A number that was changed in place since it was parsed is no longer the one that was sent.
  return digits !== undefined && raw !== undefined && Number(digits) === value
    ? raw(digits)
    : value;
}

/** Write JSON with every number in the digits in which it was parsed. */
export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, restoreDigits as (key: string, value: unknown) => unknown, indent);
}
