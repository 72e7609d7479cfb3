import type { ObservationValue, Resource } from '@web/fhir/types';
import { createContext, type ReactNode, Suspense, useContext, useMemo, useState } from 'react';
import { fetched, useFetchEarly } from '../fetched';
import { Guarded } from '../Guarded';

/** What a person asked the origin of. */
export interface SourceRequest {
  readonly resource: Resource;
  /** The value within the resource, for its digits and its range. */
  readonly value?: ObservationValue | undefined;
  readonly label: string;
  /** Where on the page it stands. */
  readonly anchor: HTMLElement;
}

type Open = (request: SourceRequest) => void;
const SourceContext = createContext<Open>(() => undefined);

const SourcePopover = fetched(() => import('./SourcePopover'), 'SourcePopover');

/** Hold the one popover that says where a number comes from. */
export function SourceProvider({ children }: { children: ReactNode }) {
  useFetchEarly(SourcePopover);
  const [request, setRequest] = useState<SourceRequest>();
  const close = useMemo(() => () => setRequest(undefined), []);
  return (
    <SourceContext value={setRequest}>
      {children}
      {request === undefined ? null : (
        <Guarded key={request.label}>
          <Suspense fallback={null}>
            <SourcePopover request={request} onClose={close} />
          </Suspense>
        </Guarded>
      )}
    </SourceContext>
  );
}

export function useOpenSource(): Open {
  return useContext(SourceContext);
}
