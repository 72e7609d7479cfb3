/** The RESTful API of https://hl7.org/fhir/R4/http.html, as far as the UI speaks it. */

import { parseJson, stringifyJson } from './json';
import { errorFromResponse, errorFromSilence } from './outcome';
import type { Bundle, OperationOutcomeIssue, Resource, ResourceOf, ResourceType } from './types';

export type SearchParams = Readonly<Record<string, string | number>>;

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** The patient whose chart is open: the server refuses a write that concerns another one. */
  readonly patient?: string | undefined;
}

type Listener = () => void;
const signedOutListeners = new Set<Listener>();

/** Call `listener` whenever the server says that nobody is signed in; return how to stop. */
export function onSignedOut(listener: Listener): Listener {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function headersFor({ body, patient }: RequestOptions): Record<string, string> {
  return {
    Accept: 'application/fhir+json, application/json',
    // A form on another site cannot set a header: this tells our requests from forged ones.
    'X-Polyclinic-Request': '1',
    ...(patient === undefined ? {} : { 'X-Polyclinic-Patient': patient }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
}

function bodyOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

interface Answer {
  readonly response: Response;
  readonly body: unknown;
}

async function exchange(path: string, options: RequestOptions): Promise<Answer> {
  try {
    const response = await fetch(path, {
      method: options.method ?? 'GET',
      headers: headersFor(options),
      credentials: 'same-origin',
      signal: options.signal ?? null,
      ...(options.body === undefined ? {} : { body: stringifyJson(options.body) }),
    });
    return { response, body: bodyOf(await response.text()) };
  } catch (cause) {
    throw options.signal?.aborted ? cause : errorFromSilence();
  }
}

function announceSignedOut(): void {
  for (const listener of signedOutListeners) {
    listener();
  }
}

/** Send a request to our own origin; return the parsed body, or throw a FhirError. */
export async function request(path: string, options: RequestOptions = {}): Promise<unknown> {
  const { response, body } = await exchange(path, options);
  if (response.ok) {
    return body;
  }
  if (response.status === 401 && !path.startsWith('/auth/')) {
    announceSignedOut();
  }
  throw errorFromResponse(response.status, body, response.headers.get('Retry-After'));
}

/** One page of a search. */
export interface SearchPage<R extends Resource = Resource> {
  readonly matches: readonly R[];
  readonly total: number | undefined;
  /** Path and query of the next page, on our own origin. */
  readonly next: string | undefined;
  /** What the server said about its own answer, such as a part that could not be searched. */
  readonly warnings: readonly OperationOutcomeIssue[];
}

/** Keep path and query only: behind a proxy the server may call itself by another name. */
function sameOrigin(url: string | undefined): string | undefined {
  if (url === undefined) {
    return undefined;
  }
  const { pathname, search } = new URL(url, window.location.origin);
  return pathname + search;
}

export function pageOf<R extends Resource>(bundle: Bundle): SearchPage<R> {
  const entries = bundle.entry ?? [];
  const resources = (mode: string): Resource[] =>
    entries.flatMap((entry) =>
      entry.resource !== undefined && (entry.search?.mode ?? 'match') === mode
        ? [entry.resource]
        : [],
    );
  return {
    matches: resources('match') as R[],
    total: bundle.total,
    next: sameOrigin(bundle.link?.find((link) => link.relation === 'next')?.url),
    warnings: resources('outcome').flatMap((outcome) =>
      'issue' in outcome ? (outcome.issue as OperationOutcomeIssue[]) : [],
    ),
  };
}

/** Return the path of a search, its parameters in the order given. */
export function searchPath(type: ResourceType, params: SearchParams): string {
  const query = new URLSearchParams(
    Object.entries(params).map(([name, value]) => [name, String(value)]),
  );
  return `/fhir/${type}?${query.toString()}`;
}

export async function searchAt<R extends Resource>(
  path: string,
  options: RequestOptions = {},
): Promise<SearchPage<R>> {
  return pageOf<R>((await request(path, options)) as Bundle);
}

export async function search<T extends ResourceType>(
  type: T,
  params: SearchParams,
  options: RequestOptions = {},
): Promise<SearchPage<ResourceOf<T>>> {
  return searchAt<ResourceOf<T>>(searchPath(type, params), options);
}

export async function read<T extends ResourceType>(
  type: T,
  id: string,
  options: RequestOptions = {},
): Promise<ResourceOf<T>> {
  return (await request(`/fhir/${type}/${encodeURIComponent(id)}`, options)) as ResourceOf<T>;
}
