/** The R4 types, and what the UI says about several of them at once. */

import type { Observation, ObservationComponent, Resource, ResourceType } from './r4';

export type * from './r4';

/** The resource of a type, by its name. */
export type ResourceOf<T extends ResourceType> = Extract<Resource, { resourceType: T }>;

/** What an observation and a component of it have in common: a value and how to read it. */
export type ObservationValue = Partial<Omit<ObservationComponent, 'code'>> &
  Pick<Observation, keyof Observation & keyof ObservationComponent & `value${string}`>;
