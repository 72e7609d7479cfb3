import { errorFromSilence } from '@web/fhir/outcome';
import { type ComponentType, createElement, type FunctionComponent, lazy, useEffect } from 'react';

/** A component whose code is fetched when it is first shown, or before. */
export type Fetched<P> = FunctionComponent<P> & { readonly fetch: () => void };

type Exports<K extends string, P> = Readonly<Record<K, ComponentType<P>>>;
type Load<P> = () => Promise<{ default: ComponentType<P> }>;

/** After the first page has loaded its data. */
const IDLE_MS = 1000;
/** How to start anew, for each component whose code could not be fetched. */
const FAILED = new Set<() => void>();

/** Fetch again, when it is shown again, what could not be fetched. */
export function forgetFailedFetches(): void {
  for (const startAnew of FAILED) {
    startAnew();
  }
  FAILED.clear();
}

/** Return how to get the lazy component: a new one after its code could not be fetched. */
function retrying<P>(load: Load<P>): () => ComponentType<P> {
  let component: ComponentType<P>;
  const make = (): void => {
    component = lazy(() =>
      load().catch(() => {
        FAILED.add(make);
        throw errorFromSilence();
      }),
    ) as unknown as ComponentType<P>;
  };
  make();
  return () => component;
}

/** Return a component that is fetched when it is needed, by the name it is exported under. */
export function fetched<K extends string, P extends object>(
  load: () => Promise<Exports<K, P>>,
  name: K,
): Fetched<P> {
  const component = retrying<P>(async () => ({ default: (await load())[name] }));
  // biome-ignore lint/correctness/noComponentHookFactories: made once for each module that is split off
  const Part: FunctionComponent<P> = (props) => createElement(component(), props);
  // The browser keeps what was fetched early; a failure shows when the component does.
  return Object.assign(Part, { fetch: () => void load().catch(() => undefined) });
}

/** Fetch what a click is likely to need while nothing else is going on. */
export function useFetchEarly(...parts: readonly { readonly fetch: () => void }[]): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: once is enough
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const part of parts) {
        part.fetch();
      }
    }, IDLE_MS);
    return () => clearTimeout(timer);
  }, []);
}
