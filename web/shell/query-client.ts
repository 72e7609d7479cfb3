import { QueryClient } from '@tanstack/react-query';
import { FhirError } from '@web/fhir/outcome';

const RETRIED: ReadonlySet<string> = new Set(['unreachable', 'server', 'limited']);

function worthRetrying(count: number, error: Error): boolean {
  return count < 2 && error instanceof FhirError && RETRIED.has(error.fault);
}

function delay(attempt: number, error: Error): number {
  const asked = error instanceof FhirError ? error.retryAfter : undefined;
  return asked === undefined ? 500 * 2 ** attempt : Math.min(asked, 30) * 1000;
}

/** Return the cache of what was loaded: in memory only, gone with the page. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 300_000,
        networkMode: 'always',
        retry: worthRetrying,
        retryDelay: delay,
        // A deep copy would lose the digits of decimals, which are kept by object.
        structuralSharing: false,
      },
    },
  });
}
