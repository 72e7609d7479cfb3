/** What a module's `ui/index.ts` may export: all of it data, so that it can be listed and switched off. */

import type { Icon } from '@tabler/icons-react';
import { type ComponentType, createContext } from 'react';
import type { Fetched } from './fetched';

export interface PageProps {
  /** The named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
}

export interface Page {
  /** A path such as `/patients/:patientId`; below one with `:patientId` a patient's banner stands. */
  readonly path: string;
  readonly title: () => string;
  readonly component: Fetched<PageProps>;
}

/** An entry of the rail. */
export interface Place {
  readonly key: string;
  readonly title: () => string;
  readonly icon: Icon;
  readonly path: string;
  /** Single keys pressed one after the other, such as `g p`. */
  readonly keys?: string;
  readonly order: number;
}

/** Where panels can stand. A slot is for what a site may reorder or remove. */
export type SlotName = 'chart.story' | 'chart.now';

export interface PanelSlotProps {
  readonly patientId: string;
}

export interface Panel {
  readonly key: string;
  readonly slot: SlotName;
  readonly order: number;
  readonly title: () => string;
  readonly component: ComponentType<PanelSlotProps>;
}

export interface CommandContext {
  readonly go: (path: string) => void;
  readonly patientId: string | undefined;
}

export interface Command {
  readonly key: string;
  readonly title: () => string;
  /** Single keys pressed one after the other, such as `g p`. */
  readonly keys?: string;
  /** Whether the command needs an open chart. */
  readonly inChart?: boolean;
  readonly run: (context: CommandContext) => void;
}

/** One thing that the command palette found. */
export interface Finding {
  readonly key: string;
  readonly title: string;
  /** What tells it from another of the same title. */
  readonly detail: string;
  readonly path: string;
}

export interface Finder {
  readonly key: string;
  readonly title: () => string;
  readonly find: (query: string, signal: AbortSignal) => Promise<readonly Finding[]>;
}

export interface ModuleUi {
  readonly pages?: readonly Page[];
  readonly places?: readonly Place[];
  readonly panels?: readonly Panel[];
  readonly commands?: readonly Command[];
  readonly finders?: readonly Finder[];
}

export type Registry = Required<ModuleUi>;

export const EMPTY_REGISTRY: Registry = {
  pages: [],
  places: [],
  panels: [],
  commands: [],
  finders: [],
};

/** What all modules add together; the shell provides it. */
export const RegistryContext = createContext<Registry>(EMPTY_REGISTRY);
