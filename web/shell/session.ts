/** Who is signed in, as the server says it. The cookie itself is out of reach of scripts. */

import { type QueryClient, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { request } from '@web/fhir/client';
import type { FhirError } from '@web/fhir/outcome';

export interface Session {
  readonly user: string;
  readonly display: string;
  readonly roles: readonly string[];
  readonly tenant: string;
  /** The id of the Patient that the account belongs to. */
  readonly patient: string | null;
}

const KEY = ['session'] as const;

export function useSession(): UseQueryResult<Session, FhirError> {
  return useQuery<Session, FhirError>({
    queryKey: KEY,
    queryFn: async ({ signal }) => (await request('/auth/session', { signal })) as Session,
    retry: (count, error) => error.fault !== 'signed-out' && count < 2,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Sign in; what another person had loaded is forgotten first. */
export async function signIn(client: QueryClient, user: string, password: string): Promise<void> {
  const session = await request('/auth/sign-in', { method: 'POST', body: { user, password } });
  sessionStorage.clear();
  forgetRecords(client);
  client.setQueryData(KEY, session);
}

export async function signOut(client: QueryClient): Promise<void> {
  await request('/auth/sign-out', { method: 'POST' });
  sessionStorage.clear();
  forget(client);
}

function forgetRecords(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
}

/** Forget everything that was loaded, and who was signed in; the address stays. */
export function forget(client: QueryClient): void {
  forgetRecords(client);
  void client.resetQueries({ queryKey: KEY });
}
