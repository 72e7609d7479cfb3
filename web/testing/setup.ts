/** What jsdom lacks of a browser, and a clean page after each test. */

import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';

// Code that is split off is fetched within a test, too; on a busy machine that takes a while.
configure({ asyncUtilTimeout: 5000 });

class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

vi.stubGlobal('ResizeObserver', Observer);

/** A window of 1440 pixels that prefers light and moves nothing. */
export function matches(query: string): boolean {
  const least = /min-width: (\d+)px/.exec(query)?.[1];
  return least === undefined ? query.includes('reduced-motion') : Number(least) <= 1440;
}

Object.defineProperty(window, 'matchMedia', {
  writable: true,
  value: (query: string) => ({
    matches: matches(query),
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    addListener: () => undefined,
    removeListener: () => undefined,
  }),
});

HTMLElement.prototype.showPopover = function showPopover(this: HTMLElement) {
  this.style.display = 'block';
};
Element.prototype.scrollIntoView = () => undefined;
window.scrollTo = () => undefined;

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  window.history.replaceState(null, '', '/');
});

afterEach(cleanup);
