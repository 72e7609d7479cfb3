import {
  keepPreviousData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { read, type SearchPage, type SearchParams, search, searchAt, searchPath } from './client';
import type { FhirError } from './outcome';
import type { OperationOutcomeIssue, ResourceOf, ResourceType } from './types';

const PatientContext = createContext<string | undefined>(undefined);

/** Say whose chart is open: every request below it carries the patient's id. */
export function PatientScope({ id, children }: { id: string; children: ReactNode }) {
  return <PatientContext value={id}>{children}</PatientContext>;
}

/** Return the id of the patient whose chart is open, if one is. */
export function usePatientScope(): string | undefined {
  return useContext(PatientContext);
}

export function useResource<T extends ResourceType>(
  type: T,
  id: string | undefined,
): UseQueryResult<ResourceOf<T>, FhirError> {
  const patient = usePatientScope();
  return useQuery<ResourceOf<T>, FhirError>({
    queryKey: ['read', type, id, patient],
    queryFn: ({ signal }) => read(type, id ?? '', { signal, patient }),
    enabled: id !== undefined,
  });
}

/** Search for one page; while the parameters change the former page stays on screen. */
export function usePage<T extends ResourceType>(
  type: T,
  params: SearchParams,
): UseQueryResult<SearchPage<ResourceOf<T>>, FhirError> {
  const patient = usePatientScope();
  return useQuery<SearchPage<ResourceOf<T>>, FhirError>({
    queryKey: ['search', type, params, patient],
    queryFn: ({ signal }) => search(type, params, { signal, patient }),
    placeholderData: keepPreviousData,
  });
}

/** What several pages of one search hold together. */
export interface Found<R> {
  readonly resources: readonly R[];
  readonly total: number | undefined;
  /** Whether every match has been loaded. */
  readonly complete: boolean;
  readonly warnings: readonly OperationOutcomeIssue[];
}

export interface Pages<R> {
  readonly data: Found<R> | undefined;
  readonly error: FhirError | null;
  readonly retry: () => void;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
}

function useJoined<R>(query: UseInfiniteQueryResult<{ pages: SearchPage[] }, FhirError>): Pages<R> {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const found = useMemo<Found<R> | undefined>(
    () =>
      data && {
        resources: data.pages.flatMap((page) => page.matches as R[]),
        total: data.pages[0]?.total,
        complete: !hasNextPage,
        warnings: data.pages.flatMap((page) => page.warnings),
      },
    [data, hasNextPage],
  );
  return {
    data: found,
    error,
    retry: () => void refetch(),
    loadingMore: isFetchingNextPage,
    loadMore: () => void fetchNextPage(),
  };
}

/**
 * Search page by page, up to `eager` matches without being asked; more on `loadMore`.
 *
 * The bound keeps a chart with 10,000 observations as quick as one with ten.
 */
export function useSearch<T extends ResourceType>(
  type: T,
  params: SearchParams,
  eager = 500,
): Pages<ResourceOf<T>> {
  const patient = usePatientScope();
  const query = useInfiniteQuery<SearchPage, FhirError, { pages: SearchPage[] }, unknown[], string>(
    {
      queryKey: ['pages', type, params, patient],
      queryFn: ({ pageParam, signal }) => searchAt(pageParam, { signal, patient }),
      initialPageParam: searchPath(type, params),
      getNextPageParam: (page) => page.next,
    },
  );
  const { data, hasNextPage, isFetchingNextPage, isError, fetchNextPage } = query;
  const loaded = data?.pages.reduce((sum, page) => sum + page.matches.length, 0) ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && loaded < eager) {
      void fetchNextPage();
    }
  }, [hasNextPage, isFetchingNextPage, isError, loaded, eager, fetchNextPage]);
  return useJoined<ResourceOf<T>>(query);
}
