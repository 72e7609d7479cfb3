import { useSearch } from '@web/fhir/queries';
import { Loaded } from '@web/kit/Loaded';
import { MoreButton } from '@web/kit/MoreButton';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { useMemo } from 'react';
import { t } from '../messages';
import { kindsOf } from '../results/kinds';
import { ResultTable } from '../results/ResultTable';
import { labAnswer, labOrder, rangeNote } from './labs';
import { resultNotes } from './VitalsPanel';

const EAGER = 600;
const FIRST_ROWS = 8;

/** The latest of each laboratory result, those that stand out first. */
export function LabsPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry, loadMore, loadingMore } = useSearch(
    'Observation',
    {
      patient: patientId,
      category: 'laboratory',
      _sort: '-date',
      _count: 200,
      _total: 'accurate',
    },
    EAGER,
  );
  const found = useMemo(() => {
    const kinds = data && kindsOf(data.resources);
    return kinds && { ...kinds, kinds: labOrder(kinds.kinds) };
  }, [data]);
  return (
    <PanelFrame
      title={t('labs.title')}
      answer={found && labAnswer(found.kinds)}
      footnotes={found ? [...rangeNote(found.kinds), ...resultNotes(found, data)] : []}
    >
      <Loaded
        what={t('labs.title')}
        data={found}
        error={error}
        retry={retry}
        isEmpty={({ kinds }) => kinds.length === 0}
        emptyText={t('labs.empty')}
        emptyHint={t('labs.empty.next')}
      >
        {({ kinds }) => (
          <ResultTable
            caption={t('labs.title')}
            kindTitle={t('labs.kind')}
            kinds={kinds}
            patientId={patientId}
            step={FIRST_ROWS}
          />
        )}
      </Loaded>
      {data?.complete === false ? (
        <MoreButton busy={loadingMore} onClick={loadMore}>
          {t('more.back')}
        </MoreButton>
      ) : null}
    </PanelFrame>
  );
}
