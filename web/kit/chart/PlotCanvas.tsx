import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { alignedData, type PlotSeries, paletteOf, plotOptions } from './plot';
import type { Stretch } from './series';

export interface PlotCanvasProps {
  readonly series: readonly PlotSeries[];
  readonly stretch: Stretch;
  /** The value that the keyboard stands on, in milliseconds. */
  readonly cursorAt: number | undefined;
  readonly height: number;
  readonly onStretch: (stretch: Stretch) => void;
}

const IGNORE = (): void => undefined;

/** uPlot on a canvas, drawn anew when the data or the colour scheme change. */
export function PlotCanvas(props: PlotCanvasProps) {
  const { series, stretch, cursorAt, height, onStretch } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(onStretch);
  latest.current = onStretch;
  const scheme = useComputedColorScheme('light');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the palette is read from the scheme's styles
  useEffect(() => {
    const element = host.current;
    if (element === null) {
      return undefined;
    }
    const options = plotOptions({
      series,
      palette: paletteOf(element),
      width: element.clientWidth,
      height,
      onStretch: (next) => latest.current(next),
      onCursor: IGNORE,
    });
    const drawn = new uPlot(options, alignedData(series), element);
    plot.current = drawn;
    const observer = new ResizeObserver(() =>
      drawn.setSize({ width: element.clientWidth, height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [series, height, scheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new drawing starts with the whole stretch
  useEffect(() => {
    plot.current?.setScale('x', { min: stretch.from / 1000, max: stretch.to / 1000 });
  }, [stretch, series, scheme]);

  useEffect(() => {
    const drawn = plot.current;
    if (drawn !== undefined && cursorAt !== undefined) {
      drawn.setCursor({ left: drawn.valToPos(cursorAt / 1000, 'x'), top: 10 });
    }
  }, [cursorAt]);

  return <div ref={host} aria-hidden dir="ltr" />;
}
