import { Suspense, useContext } from 'react';
import { Guarded } from './Guarded';
import { Loading } from './Loaded';
import { type Panel, RegistryContext, type SlotName } from './module';
import { PanelFrame } from './Panel';

/** The place of a panel while its code is fetched. */
function PanelWaiting({ panel }: { panel: Panel }) {
  return (
    <PanelFrame title={panel.title()}>
      <Loading what={panel.title()} />
    </PanelFrame>
  );
}

/** Every panel that modules put into a slot, in order; one that fails leaves the others standing. */
export function Slot({ name, patientId }: { name: SlotName; patientId: string }) {
  const { panels } = useContext(RegistryContext);
  return panels
    .filter((panel) => panel.slot === name)
    .sort((a, b) => a.order - b.order)
    .map((panel) => (
      <div key={panel.key} id={`panel-${panel.key}`}>
        <Guarded key={patientId} title={panel.title()}>
          <Suspense fallback={<PanelWaiting panel={panel} />}>
            <panel.component patientId={patientId} />
          </Suspense>
        </Guarded>
      </div>
    ));
}
