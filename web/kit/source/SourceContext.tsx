import type { ObservationValue, Resource } from '@web/fhir/types';
import {
  createContext,
  lazy,
  type ReactNode,
  Suspense,
  useContext,
  useMemo,
  useState,
} from 'react';

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

const SourcePopover = lazy(async () => ({
  default: (await import('./SourcePopover')).SourcePopover,
}));

/** Hold the one popover that says where a number comes from. */
export function SourceProvider({ children }: { children: ReactNode }) {
  const [request, setRequest] = useState<SourceRequest>();
  const close = useMemo(() => () => setRequest(undefined), []);
  return (
    <SourceContext value={setRequest}>
      {children}
      {request === undefined ? null : (
        <Suspense fallback={null}>
          <SourcePopover request={request} onClose={close} />
        </Suspense>
      )}
    </SourceContext>
  );
}

export function useOpenSource(): Open {
  return useContext(SourceContext);
}
