import { at, bundle, failing, found, serve, serveNothing } from '@web/testing/server';
import { expect, test, vi } from 'vitest';
import { onSignedOut, read, request, search, searchPath } from './client';
import { digitsOf } from './json';
import { FhirError } from './outcome';

async function errorOf(promise: Promise<unknown>): Promise<FhirError> {
  const error = await promise.catch((cause: unknown) => cause);
  if (!(error instanceof FhirError)) {
    throw new Error('expected a FhirError');
  }
  return error;
}

test('every request says that it is ours and whose chart is open', async () => {
  const server = serve(at('/fhir/Patient/p1', { body: { resourceType: 'Patient', id: 'p1' } }));

  await read('Patient', 'p1', { patient: 'p1' });

  const headers = server.asked[0]?.headers;
  expect(headers?.get('X-Polyclinic-Request')).toBe('1');
  expect(headers?.get('X-Polyclinic-Patient')).toBe('p1');
});

test('outside a chart no patient is named', async () => {
  const server = serve(found('Patient'));

  await search('Patient', { name: 'ada' });

  expect(server.asked[0]?.headers.has('X-Polyclinic-Patient')).toBe(false);
});

test('an id is escaped in the path', async () => {
  const server = serve();

  await errorOf(read('Patient', '../auth/session'));

  expect(server.asked[0]?.url.pathname).toBe('/fhir/Patient/..%2Fauth%2Fsession');
});

test('search parameters are escaped', () => {
  expect(searchPath('Observation', { code: 'http://loinc.org|8302-2', _count: 5 })).toBe(
    '/fhir/Observation?code=http%3A%2F%2Floinc.org%7C8302-2&_count=5',
  );
});

test('the next page is asked for on our own origin, whatever the server calls itself', async () => {
  const next = 'http://inner:9999/fhir/Patient?_count=1&page=abc';
  serve(at('/fhir/Patient', { body: bundle([{ resourceType: 'Patient', id: 'p1' }], next) }));

  const page = await search('Patient', { _count: 1 });

  expect(page.next).toBe('/fhir/Patient?_count=1&page=abc');
});

test('matches, includes and warnings are told apart', async () => {
  const entry = (resource: object, mode: string) => ({ resource, search: { mode } });
  serve(
    at('/fhir/Observation', {
      body: {
        resourceType: 'Bundle',
        entry: [
          entry({ resourceType: 'Observation', id: 'o1' }, 'match'),
          entry({ resourceType: 'Patient', id: 'p1' }, 'include'),
          entry(
            { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'One source is away' }] },
            'outcome',
          ),
        ],
      },
    }),
  );

  const page = await search('Observation', {});

  expect(page.matches.map(({ id }) => id)).toEqual(['o1']);
  expect(page.warnings.map(({ diagnostics }) => diagnostics)).toEqual(['One source is away']);
});

test('decimals of an answer keep their digits', async () => {
  const text = '{"resourceType":"Observation","valueQuantity":{"value":1.00}}';
  serve(at('/fhir/Observation/o1', { text }));

  const { valueQuantity } = await read('Observation', 'o1');

  expect(digitsOf(valueQuantity ?? {}, 'value' as never)).toBe('1.00');
});

test.each([
  [400, 'refused'],
  [403, 'forbidden'],
  [404, 'not-found'],
  [409, 'conflict'],
  [410, 'deleted'],
  [412, 'conflict'],
  [422, 'refused'],
  [429, 'limited'],
  [500, 'server'],
  [503, 'server'],
])('status %i is the fault %s', async (status, fault) => {
  serve(failing('/fhir/Patient/p1', status, 'Because.'));

  const error = await errorOf(read('Patient', 'p1'));

  expect([error.fault, error.message]).toEqual([fault, 'Because.']);
});

test('a limited request says how long to wait', async () => {
  serve(at('/fhir/Patient/p1', { status: 429, body: {}, headers: { 'Retry-After': '7' } }));

  expect((await errorOf(read('Patient', 'p1'))).retryAfter).toBe(7);
});

test('an error without a body is still an error', async () => {
  serve(at('/fhir/Patient/p1', { status: 502, text: '<html>Bad gateway' }));

  expect((await errorOf(read('Patient', 'p1'))).fault).toBe('server');
});

test('no answer on a device with a network means that the server cannot be reached', async () => {
  serveNothing();

  expect((await errorOf(read('Patient', 'p1'))).fault).toBe('unreachable');
});

test('no answer on a device without a network means offline', async () => {
  serveNothing();
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);

  expect((await errorOf(read('Patient', 'p1'))).fault).toBe('offline');
});

test('a session that has ended is announced', async () => {
  serve(failing('/fhir/Patient/p1', 401));
  const listener = vi.fn();
  const stop = onSignedOut(listener);

  await errorOf(read('Patient', 'p1'));
  stop();

  expect(listener).toHaveBeenCalledOnce();
});

test('a wrong password is no session that has ended', async () => {
  serve(at('/auth/sign-in', { status: 401, body: {} }, 'POST'));
  const listener = vi.fn();
  const stop = onSignedOut(listener);

  const error = await errorOf(request('/auth/sign-in', { method: 'POST', body: {} }));
  stop();

  expect(error.fault).toBe('signed-out');
  expect(listener).not.toHaveBeenCalled();
});
