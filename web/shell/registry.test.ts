import { describe, expect, test } from 'vitest';
import { joined, REGISTRY } from './registry';

const PLACE = { key: 'a', title: () => 'A', icon: (() => null) as never, path: '/a', order: 20 };

test('what modules add is joined, places in their order', () => {
  const registry = joined([
    { places: [PLACE] },
    {},
    { places: [{ ...PLACE, key: 'b', order: 10 }] },
  ]);

  expect(registry.places.map(({ key }) => key)).toEqual(['b', 'a']);
});

test('no module at all is a registry with nothing in it', () => {
  expect(joined([])).toEqual({ pages: [], places: [], panels: [], commands: [], finders: [] });
});

describe('the modules there are', () => {
  test('add pages', () => {
    expect(REGISTRY.pages.length).toBeGreaterThan(0);
  });

  test.each([
    ['pages', REGISTRY.pages.map(({ path }) => path)],
    ['places', REGISTRY.places.map(({ key }) => key)],
    ['panels', REGISTRY.panels.map(({ key }) => key)],
    ['commands', REGISTRY.commands.map(({ key }) => key)],
    ['finders', REGISTRY.finders.map(({ key }) => key)],
  ])('name each of their %s once', (_, keys) => {
    expect(keys).toEqual([...new Set(keys)]);
  });

  test('lead every place to a page', () => {
    const paths = REGISTRY.pages.map(({ path }) => path);

    expect(REGISTRY.places.filter(({ path }) => !paths.includes(path))).toEqual([]);
  });

  test('give every panel and page a title', () => {
    const titles = [...REGISTRY.panels, ...REGISTRY.pages].map(({ title }) => title());

    expect(titles.filter((title) => title.length < 3)).toEqual([]);
  });
});
