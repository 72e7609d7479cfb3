import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatDay, formatMonth, formatTime } from '../format/date';
import { gapsBefore, type Point, type Stretch } from './series';

export interface Band {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

export interface PlotSeries {
  readonly label: string;
  readonly points: readonly Point[];
  /** Values of a device are drawn as a line, those of a clinic as points. */
  readonly continuous: boolean;
  readonly band: Band | undefined;
}

export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly band: string;
  readonly marks: readonly string[];
}

/** Read the colours of the scheme in force: a canvas knows no custom properties. */
export function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--pc-${name}`).trim();
  return {
    text: colour('muted'),
    line: colour('line'),
    band: colour('band'),
    marks: [colour('accent'), colour('blue'), colour('amber'), colour('green')],
  };
}

const SECOND = 1000;
const MONTHS_SHOWN = 400 * 86_400;
const DAYS_SHOWN = 3 * 86_400;

/** Join the series on one axis of time; a null breaks the line where nothing was measured for long. */
export function alignedData(series: readonly PlotSeries[]): uPlot.AlignedData {
  const tables = series.map(({ points }) => {
    const gaps = gapsBefore(points);
    const rows = points.flatMap((point, index): [number, number | null][] => {
      const row: [number, number | null] = [point.at / SECOND, point.value];
      const before = points[index - 1];
      return gaps.has(index) && before !== undefined
        ? [[(before.at + point.at) / 2 / SECOND, null], row]
        : [row];
    });
    return [rows.map(([at]) => at), rows.map(([, value]) => value)] as uPlot.AlignedData;
  });
  const modes = tables.map((table) => table.map(() => 2 as const));
  return tables.length === 1 ? (tables[0] ?? [[]]) : uPlot.join(tables, modes);
}

function axisTime(_: uPlot, splits: number[]): string[] {
  const span = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
  return splits.map((split) => {
    if (span > MONTHS_SHOWN * 5) {
      return String(new Date(split * SECOND).getFullYear());
    }
    if (span > MONTHS_SHOWN) {
      return formatMonth(split * SECOND);
    }
    return span > DAYS_SHOWN ? formatDay(split * SECOND) : formatTime(split * SECOND);
  });
}

function drawBands(series: readonly PlotSeries[], palette: Palette) {
  return (plot: uPlot): void => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = palette.band;
    for (const { band } of series) {
      if (band !== undefined) {
        const edge = (value: number | undefined, otherwise: number): number =>
          value === undefined
            ? otherwise
            : Math.min(Math.max(plot.valToPos(value, 'y', true), bbox.top), bbox.top + bbox.height);
        const top = edge(band.high, bbox.top);
        const bottom = edge(band.low, bbox.top + bbox.height);
        ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
      }
    }
    ctx.restore();
  };
}

/** Show the values, and as much of the band as helps: a far bound must not flatten the course. */
function valueRange(series: readonly PlotSeries[]): uPlot.Range.MinMax | uPlot.Range.Function {
  const bounds = series.flatMap(({ band }) => [band?.low, band?.high]);
  return (_, min, max) => {
    const span = max - min || Math.abs(max) * 0.1 || 1;
    const near = bounds.filter(
      (bound): bound is number => bound !== undefined && bound >= min - span && bound <= max + span,
    );
    const low = Math.min(min, ...near);
    const high = Math.max(max, ...near);
    const room = (high - low || span) * 0.1;
    return [low - room, high + room];
  };
}

export interface PlotSettings {
  readonly series: readonly PlotSeries[];
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
  readonly onStretch: (stretch: Stretch) => void;
  readonly onCursor: (index: number | undefined) => void;
}

function lineOf(item: PlotSeries, colour: string): uPlot.Series {
  return {
    label: item.label,
    stroke: colour,
    width: item.continuous ? 1.5 : 1,
    spanGaps: false,
    points: item.continuous
      ? { show: false }
      : { show: true, size: 7, fill: colour, stroke: colour },
  };
}

/** Return what uPlot draws from. */
export function plotOptions(settings: PlotSettings): uPlot.Options {
  const { series, palette, width, height } = settings;
  const axis = { stroke: palette.text, font: '12px system-ui', ticks: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 11 } },
    scales: { x: { time: true }, y: { range: valueRange(series) as uPlot.Range.Function } },
    axes: [
      { ...axis, grid: { show: false }, values: axisTime, space: 90 },
      { ...axis, grid: { stroke: palette.line, width: 1 }, size: 52 },
    ],
    series: [{}, ...series.map((item, i) => lineOf(item, palette.marks[i % 4] ?? palette.text))],
    hooks: {
      drawAxes: [drawBands(series, palette)],
      setCursor: [(plot) => settings.onCursor(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          const { left, width: wide } = plot.select;
          if (wide > 4) {
            settings.onStretch({
              from: plot.posToVal(left, 'x') * SECOND,
              to: plot.posToVal(left + wide, 'x') * SECOND,
            });
          }
        },
      ],
    },
  };
}
