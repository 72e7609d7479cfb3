import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const tokens = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');

type Scheme = Readonly<Record<string, string>>;

function schemeOf(name: 'light' | 'dark'): Scheme {
  const start = tokens.indexOf(`[data-mantine-color-scheme="${name}"] {`);
  const block = tokens.slice(start, tokens.indexOf('}', start));
  return Object.fromEntries(
    [...block.matchAll(/--pc-([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]),
  );
}

/** Relative luminance of WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const TEXT: readonly (readonly [string, string])[] = [
  ...['text', 'muted', 'accent', 'accent-strong', 'red', 'amber', 'blue', 'green'].flatMap(
    (colour) => ['page', 'surface', 'sunken'].map((ground) => [colour, ground] as const),
  ),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['text', 'accent-soft'],
  ['muted', 'accent-soft'],
  ['accent-strong', 'accent-soft'],
  ['blue', 'accent-soft'],
  ['red', 'red-soft'],
  ['amber', 'amber-soft'],
  ['blue', 'blue-soft'],
  ['green', 'green-soft'],
  ['surface', 'text'],
];
const MARKS: readonly (readonly [string, string])[] = [
  ['line-strong', 'surface'],
  ['line-strong', 'page'],
  ['accent', 'surface'],
  ['accent', 'band'],
  ['line-strong', 'band'],
];

describe.each(['light', 'dark'] as const)('in the %s scheme', (name) => {
  const scheme = schemeOf(name);
  const of = (token: string): string => {
    const colour = scheme[token];
    if (colour === undefined) {
      throw new Error(`no token ${token}`);
    }
    return colour;
  };

  test.each(TEXT)('text in %s on %s is readable', (colour, ground) => {
    expect(contrast(of(colour), of(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(MARKS)('a mark in %s on %s can be seen', (colour, ground) => {
    expect(contrast(of(colour), of(ground))).toBeGreaterThanOrEqual(3);
  });
});

test('both schemes have the same tokens', () => {
  expect(Object.keys(schemeOf('dark'))).toEqual(Object.keys(schemeOf('light')));
});

/** Machado, Oliveira and Fernandes 2009, severity 1.0, in linear RGB. */
const COLOUR_VISION: Readonly<Record<string, readonly (readonly number[])[]>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function linear(colour: string): readonly number[] {
  return [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
}

function seen(colour: string, matrix: readonly (readonly number[])[]): readonly number[] {
  const from = linear(colour);
  return matrix.map((row) => row.reduce((sum, part, i) => sum + part * (from[i] ?? 0), 0));
}

/** Distance in linear RGB after the eye; two equal colours are 0 apart, black and white 1.7. */
function apart(a: readonly number[], b: readonly number[]): number {
  return Math.hypot(...a.map((part, i) => part - (b[i] ?? 0)));
}

describe.each(Object.entries(COLOUR_VISION))('with %s', (_, matrix) => {
  test.each(['light', 'dark'] as const)('the lines of a chart differ in the %s scheme', (name) => {
    const scheme = schemeOf(name);
    const [accent, blue] = ['accent', 'blue'].map((token) => seen(scheme[token] ?? '', matrix));

    expect(apart(accent ?? [], blue ?? [])).toBeGreaterThan(0.05);
  });
});
