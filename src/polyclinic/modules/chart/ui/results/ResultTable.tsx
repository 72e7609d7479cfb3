import { PlotCanvas } from '@web/kit/chart/canvas';
import { Sparkline } from '@web/kit/chart/Sparkline';
import { UnstyledButton } from '@web/kit/controls';
import { type Column, DataTable } from '@web/kit/DataTable';
import { fetched, useFetchEarly } from '@web/kit/fetched';
import { Guarded } from '@web/kit/Guarded';
import { Loading } from '@web/kit/Loaded';
import { applicableRange } from '@web/kit/observation/range';
import { measuredAt } from '@web/kit/observation/value';
import { SidePanel } from '@web/kit/SidePanel';
import { When } from '@web/kit/When';
import { Suspense, useState } from 'react';
import { t } from '../messages';
import type { Kind } from './kinds';
import { ResultCell } from './ResultCell';
import styles from './Results.module.css';
import { isStale, partText } from './text';
import { seriesOf } from './trend';

const Trend = fetched(() => import('./TrendPanel'), 'TrendPanel');

/** Enough for a line of 88 pixels. */
const SPARK_POINTS = 60;

function Spark({ kind }: { kind: Kind }) {
  const [series] = seriesOf(kind.observations.slice(0, SPARK_POINTS));
  const first = series?.measured[0];
  const last = series?.measured.at(-1);
  if (series === undefined || first === undefined || last === undefined) {
    return null;
  }
  const range = applicableRange(last.part.value);
  return (
    <Sparkline
      points={series.measured}
      low={range?.low?.value}
      high={range?.high?.value}
      first={partText(first.part.value)}
      last={partText(last.part.value)}
    />
  );
}

function Latest({ kind }: { kind: Kind }) {
  const [latest] = kind.observations;
  return latest === undefined ? null : (
    <span data-stale={isStale(kind)} className={styles['latest']}>
      <ResultCell observation={latest} name={kind.name} />
    </span>
  );
}

interface KindNameProps {
  readonly kind: Kind;
  readonly onOpen: (kind: Kind) => void;
}

function KindName({ kind, onOpen }: KindNameProps) {
  return (
    <UnstyledButton className={styles['kind'] ?? ''} onClick={() => onOpen(kind)}>
      <span className="visually-hidden">{t('results.showTrend', { kind: kind.name })}</span>
      <span aria-hidden>{kind.name}</span>
    </UnstyledButton>
  );
}

function columnsOf(title: string, onOpen: (kind: Kind) => void): readonly Column<Kind>[] {
  return [
    {
      key: 'kind',
      title,
      heading: true,
      cell: (kind) => <KindName kind={kind} onOpen={onOpen} />,
    },
    { key: 'latest', title: t('results.latest'), cell: (kind) => <Latest kind={kind} /> },
    { key: 'trend', title: t('results.trend'), cell: (kind) => <Spark kind={kind} /> },
    {
      key: 'when',
      title: t('results.when'),
      figure: true,
      cell: (kind) => (
        <When
          date={kind.observations[0] && measuredAt(kind.observations[0])}
          otherwise={t('date.unknown')}
        />
      ),
    },
  ];
}

export interface ResultTableProps {
  readonly caption: string;
  readonly kindTitle: string;
  readonly kinds: readonly Kind[];
  readonly patientId: string;
  readonly step: number;
}

/** The latest value of each kind with its course; the name of a kind opens the whole of it. */
export function ResultTable({ caption, kindTitle, kinds, patientId, step }: ResultTableProps) {
  useFetchEarly(Trend, PlotCanvas);
  const [open, setOpen] = useState<Kind>();
  return (
    <div className={styles['results']}>
      <DataTable
        caption={caption}
        columns={columnsOf(kindTitle, setOpen)}
        rows={kinds}
        rowKey={(kind) => kind.key}
        step={step}
      />
      {open === undefined ? null : (
        <SidePanel title={open.name} onClose={() => setOpen(undefined)}>
          <Guarded>
            <Suspense fallback={<Loading what={open.name} />}>
              <Trend kind={open} patientId={patientId} />
            </Suspense>
          </Guarded>
        </SidePanel>
      )}
    </div>
  );
}
