/** The server as the UI sees it: answers to requests, and what was asked. */

import { vi } from 'vitest';

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  /** The body as text, where its digits matter. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Route = (asked: Asked) => Answer | undefined;

export interface FakeServer {
  readonly asked: readonly Asked[];
}

const NOT_FOUND: Answer = { status: 404, body: { resourceType: 'OperationOutcome', issue: [] } };

/** Answer every request with the first route that knows it. */
export function serve(...routes: readonly Route[]): FakeServer {
  const asked: Asked[] = [];
  vi.stubGlobal('fetch', async (input: string, init: RequestInit = {}) => {
    const request: Asked = {
      method: init.method ?? 'GET',
      url: new URL(input, window.location.origin),
      headers: new Headers(init.headers),
      body: init.body === undefined ? undefined : JSON.parse(String(init.body)),
    };
    asked.push(request);
    const answers = routes.map((route) => route(request));
    const { status = 200, body, text, headers = {} } = answers.find(Boolean) ?? NOT_FOUND;
    const content = status === 204 ? null : (text ?? JSON.stringify(body));
    return new Response(content, { status, headers });
  });
  return { asked };
}

/** Never answer, as on a network that is gone. */
export function serveNothing(): void {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('Failed to fetch');
  });
}

/** Answer a path, whatever its query. */
export function at(path: string, answer: Answer, method = 'GET'): Route {
  return (asked) => (asked.url.pathname === path && asked.method === method ? answer : undefined);
}

/** Answer a search with resources. */
export function found(type: string, ...resources: readonly object[]): Route {
  return at(`/fhir/${type}`, { body: bundle(resources) });
}

export function bundle(resources: readonly object[], next?: string): object {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    ...(next === undefined ? {} : { link: [{ relation: 'next', url: next }] }),
    entry: resources.map((resource) => ({
      resource: { resourceType: 'unknown', ...resource },
      search: { mode: 'match' },
    })),
  };
}

/** Answer with an error and its OperationOutcome. */
export function failing(path: string, status: number, diagnostics = ''): Route {
  return at(path, {
    status,
    body: {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'processing', diagnostics }],
    },
  });
}
