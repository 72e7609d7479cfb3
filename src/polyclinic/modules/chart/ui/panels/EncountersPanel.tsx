import { useSearch } from '@web/fhir/queries';
import type { Encounter } from '@web/fhir/types';
import { type Fact, FactList } from '@web/kit/FactList';
import { formatConcept } from '@web/kit/format/concept';
import { formatCount } from '@web/kit/format/number';
import { Loaded } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import { MoreButton } from '@web/kit/MoreButton';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { Sourced } from '@web/kit/source/Sourced';
import { When } from '@web/kit/When';
import { t } from '../messages';
import {
  classText,
  encounterAnswer,
  encounterList,
  encounterName,
  IN_PROGRESS,
} from './encounters';
import { inErrorNote } from './names';

function Marks({ encounter }: { encounter: Encounter }) {
  const status = encounter.status ?? '';
  if (IN_PROGRESS.has(status)) {
    return <Mark tone="info">{t('encounters.inProgress')}</Mark>;
  }
  if (status === 'planned') {
    return <Mark tone="info">{t('encounters.planned')}</Mark>;
  }
  return status === 'cancelled' ? <Mark>{t('encounters.cancelled')}</Mark> : null;
}

function detailOf(encounter: Encounter): string {
  const reasons = (encounter.reasonCode ?? []).map(formatConcept).join(', ');
  const place = encounter.serviceProvider?.display;
  const kind = encounter.type === undefined ? undefined : classText(encounter);
  return [kind, reasons && t('encounters.reason', { reason: reasons }), place]
    .filter(Boolean)
    .join(', ');
}

function factOf(encounter: Encounter): Fact {
  const name = encounterName(encounter);
  return {
    key: encounter.id ?? name,
    title: (
      <Sourced resource={encounter} label={name}>
        {name}
      </Sourced>
    ),
    marks: <Marks encounter={encounter} />,
    detail: detailOf(encounter),
    when: <When date={encounter.period?.start} otherwise={t('date.unknown')} />,
    faded: encounter.status === 'cancelled',
  };
}

/** Visits, stays and calls, the latest first. */
export function EncountersPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry, loadMore, loadingMore } = useSearch(
    'Encounter',
    { patient: patientId, _sort: '-date', _count: 50, _total: 'accurate' },
    50,
  );
  const list = data && encounterList(data.resources);
  const total = data?.total;
  return (
    <PanelFrame
      title={t('encounters.title')}
      answer={list && list.shown.length > 0 ? encounterAnswer(list) : undefined}
      count={total ? formatCount(total) : undefined}
      footnotes={inErrorNote(list?.enteredInError ?? 0)}
    >
      <Loaded
        what={t('encounters.title')}
        data={list}
        error={error}
        retry={retry}
        isEmpty={({ shown }) => shown.length === 0}
        emptyText={t('encounters.empty')}
        emptyHint={t('encounters.empty.next')}
      >
        {({ shown }) => <FactList facts={shown.map(factOf)} />}
      </Loaded>
      {data?.complete === false ? (
        <MoreButton busy={loadingMore} onClick={loadMore}>
          {t('more.back')}
        </MoreButton>
      ) : null}
    </PanelFrame>
  );
}
