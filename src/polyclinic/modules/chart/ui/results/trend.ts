import type { Observation, ObservationValue } from '@web/fhir/types';
import type { Band } from '@web/kit/chart/plot';
import { formatRange, formatUnit } from '@web/kit/format/quantity';
import { applicableRange } from '@web/kit/observation/range';
import { momentOf, type Part, partsOf } from './kinds';

/** One number at one moment. */
export interface Measured {
  readonly observation: Observation;
  readonly part: Part;
  readonly at: number;
  readonly value: number;
}

/** The numbers of one kind, or of one component of it, in one unit. */
export interface MeasuredSeries {
  readonly label: string;
  readonly unit: string | undefined;
  /** Oldest first. */
  readonly measured: readonly Measured[];
  readonly band: Band | undefined;
  readonly bandText: string | undefined;
  /** Whether a device measured them. */
  readonly continuous: boolean;
}

const MANY = 200;

function measuredIn(observation: Observation): readonly Measured[] {
  const at = momentOf(observation);
  return Number.isFinite(at) && observation.status !== 'cancelled'
    ? partsOf(observation).flatMap((part) => {
        const value = part.value.valueQuantity?.value ?? part.value.valueInteger;
        return value === undefined ? [] : [{ observation, part, at, value }];
      })
    : [];
}

function unitOf(value: ObservationValue): string | undefined {
  return value.valueQuantity && formatUnit(value.valueQuantity);
}

function bandOf(latest: Measured | undefined): Pick<MeasuredSeries, 'band' | 'bandText'> {
  const range = latest && applicableRange(latest.part.value);
  return range?.low?.value === undefined && range?.high?.value === undefined
    ? { band: undefined, bandText: undefined }
    : {
        band: { low: range.low?.value, high: range.high?.value },
        bandText: formatRange(range),
      };
}

/** Return a series for each component and unit; numbers in different units share no line. */
export function seriesOf(observations: readonly Observation[]): readonly MeasuredSeries[] {
  const groups = new Map<string, Measured[]>();
  for (const measured of observations.flatMap(measuredIn)) {
    const key = `${measured.part.label}|${unitOf(measured.part.value) ?? ''}`;
    const group = groups.get(key) ?? [];
    group.push(measured);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => {
    const measured = group.sort((a, b) => a.at - b.at);
    const latest = measured.at(-1);
    return {
      label: latest?.part.label ?? '',
      unit: latest && unitOf(latest.part.value),
      measured,
      ...bandOf(latest),
      continuous: measured.length > MANY,
    };
  });
}

/** Return the series that share the unit of the latest value, and so can share an axis. */
export function drawable(series: readonly MeasuredSeries[]): readonly MeasuredSeries[] {
  const latest = series.reduce<MeasuredSeries | undefined>(
    (best, item) =>
      (item.measured.at(-1)?.at ?? 0) > (best?.measured.at(-1)?.at ?? -1) ? item : best,
    undefined,
  );
  return series.filter((item) => item.unit === latest?.unit);
}
