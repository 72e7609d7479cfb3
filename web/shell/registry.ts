/** Everything the modules add to the interface, found by glob: the shell names none of them. */

import { EMPTY_REGISTRY, type ModuleUi, type Registry } from '@web/kit/module';

const MODULES = import.meta.glob<ModuleUi>('../../src/polyclinic/modules/*/ui/index.ts', {
  eager: true,
});

/** Join what modules add; each list in the order it gives itself. */
export function joined(modules: readonly ModuleUi[]): Registry {
  const all = modules.reduce<Registry>(
    (sum, module) => ({
      pages: [...sum.pages, ...(module.pages ?? [])],
      places: [...sum.places, ...(module.places ?? [])],
      panels: [...sum.panels, ...(module.panels ?? [])],
      commands: [...sum.commands, ...(module.commands ?? [])],
      finders: [...sum.finders, ...(module.finders ?? [])],
    }),
    EMPTY_REGISTRY,
  );
  return { ...all, places: [...all.places].sort((a, b) => a.order - b.order) };
}

export const REGISTRY: Registry = joined(Object.values(MODULES));
