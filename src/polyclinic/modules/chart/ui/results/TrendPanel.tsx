import { useSearch } from '@web/fhir/queries';
import type { Observation } from '@web/fhir/types';
import { TrendChart, type TrendSeries } from '@web/kit/chart/TrendChart';
import { formatDateTime } from '@web/kit/format/date';
import { formatCount } from '@web/kit/format/number';
import { Loaded } from '@web/kit/Loaded';
import { MoreButton } from '@web/kit/MoreButton';
import { measuredAt } from '@web/kit/observation/value';
import { useMemo } from 'react';
import { t } from '../messages';
import { type Kind, kindsOf, momentOf } from './kinds';
import { PartCell, ResultCell } from './ResultCell';
import styles from './Results.module.css';
import { kindAnswer, oldestDate, partText } from './text';
import { drawable, type MeasuredSeries, seriesOf } from './trend';

const EAGER = 2000;
const PAGE = 500;

function chartSeries(item: MeasuredSeries, name: string): TrendSeries {
  return {
    label: item.label || name,
    continuous: item.continuous,
    band: item.band,
    bandText: item.bandText,
    points: item.measured.map(({ observation, part, at, value }) => ({
      key: observation.id ?? String(at),
      at,
      value,
      when: () => formatDateTime(measuredAt(observation)),
      text: () => partText(part.value),
      cell: () => <PartCell observation={observation} part={part} name={name} />,
    })),
  };
}

/** Results that are no numbers in the unit drawn: listed, not lost. */
function Others({ name, observations }: { name: string; observations: readonly Observation[] }) {
  return (
    <ul className={styles['others']}>
      {observations.slice(0, PAGE).map((observation) => (
        <li key={observation.id}>
          <span>{formatDateTime(measuredAt(observation)) || t('date.unknown')}</span>
          <ResultCell observation={observation} name={name} />
        </li>
      ))}
    </ul>
  );
}

function Trend({ kind }: { kind: Kind }) {
  const all = useMemo(() => seriesOf(kind.observations), [kind]);
  const drawn = useMemo(
    () => drawable(all).map((item) => chartSeries(item, kind.name)),
    [all, kind.name],
  );
  const shown = new Set(
    drawable(all).flatMap((item) => item.measured.map(({ observation }) => observation.id)),
  );
  const others = kind.observations.filter((observation) => !shown.has(observation.id));
  const undated = others.filter((observation) => !Number.isFinite(momentOf(observation)));
  return (
    <>
      <p className={styles['answer']}>{kindAnswer(kind)}</p>
      {drawn.length === 0 ? (
        <p>{t('results.nothingToDraw')}</p>
      ) : (
        <TrendChart title={kind.name} series={drawn} />
      )}
      {others.length > 0 && drawn.length > 0 ? (
        <p className={styles['note']}>
          {t('results.notDrawn', { count: others.length, undated: undated.length })}
        </p>
      ) : null}
      <Others name={kind.name} observations={others} />
    </>
  );
}

export interface TrendPanelProps {
  readonly kind: Kind;
  readonly patientId: string;
}

/** The whole course of one kind of result. */
export function TrendPanel({ kind, patientId }: TrendPanelProps) {
  return kind.coding === undefined ? (
    <Trend kind={kind} />
  ) : (
    <SearchedTrend kind={kind} patientId={patientId} />
  );
}

function SearchedTrend({ kind, patientId }: TrendPanelProps) {
  const { system, code } = kind.coding ?? {};
  const { data, error, retry, loadMore, loadingMore } = useSearch(
    'Observation',
    {
      patient: patientId,
      code: system === undefined ? (code ?? '') : `${system}|${code ?? ''}`,
      _sort: '-date',
      _count: PAGE,
      _total: 'accurate',
    },
    EAGER,
  );
  const found = useMemo(() => {
    const [same] = data === undefined ? [] : kindsOf(data.resources).kinds;
    return data && { ...kind, observations: same?.observations ?? [] };
  }, [data, kind]);
  return (
    <Loaded
      what={kind.name}
      data={found}
      error={error}
      retry={retry}
      isEmpty={(item) => item.observations.length === 0}
      emptyText={t('results.nothingToDraw')}
    >
      {(item) => (
        <>
          <Trend kind={item} />
          {data?.complete === false && !loadingMore ? (
            <p className={styles['note']}>
              {t('footnote.seen', {
                seen: formatCount(data.resources.length),
                total: formatCount(data.total ?? data.resources.length),
                date: oldestDate(data.resources),
              })}{' '}
              <MoreButton onClick={loadMore}>{t('more.back')}</MoreButton>
            </p>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
