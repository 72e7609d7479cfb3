import type { Found } from '@web/fhir/queries';
import type { Observation } from '@web/fhir/types';
import { formatCount } from '@web/kit/format/number';
import { Loaded } from '@web/kit/Loaded';
import { MoreButton } from '@web/kit/MoreButton';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { t } from '../messages';
import type { Kinds } from '../results/kinds';
import { ResultTable } from '../results/ResultTable';
import { isResultRounded, kindAnswer, oldestDate } from '../results/text';
import { inErrorNote } from './names';
import { useVitals } from './vitals';

/** What was left out, how far was looked, how numbers were shown. */
export function resultNotes(kinds: Kinds, found: Found<Observation> | undefined): string[] {
  const rounded = kinds.kinds.some(
    ({ observations: [latest] }) => latest !== undefined && isResultRounded(latest),
  );
  return [
    ...inErrorNote(kinds.enteredInError),
    ...(rounded ? [t('footnote.rounded')] : []),
    ...(found === undefined || found.complete
      ? []
      : [
          t('footnote.seen', {
            seen: formatCount(found.resources.length),
            total: formatCount(found.total ?? found.resources.length),
            date: oldestDate(found.resources),
          }),
        ]),
  ];
}

/** The latest of each vital sign. */
export function VitalsPanel({ patientId }: PanelSlotProps) {
  const { found, latest, asked, answered } = useVitals(patientId);
  const [first] = found?.kinds ?? [];
  return (
    <PanelFrame
      title={t('vitals.title')}
      answer={first && kindAnswer(first)}
      footnotes={found ? resultNotes(found, latest.data) : []}
    >
      <Loaded
        what={t('vitals.title')}
        data={found}
        error={latest.error}
        retry={latest.retry}
        isEmpty={({ kinds }) => kinds.length === 0}
        partial={{ asked: asked + 1, answered: answered + 1 }}
        emptyText={t('vitals.empty')}
        emptyHint={t('vitals.empty.next')}
      >
        {({ kinds }) => (
          <ResultTable
            caption={t('vitals.title')}
            kindTitle={t('vitals.kind')}
            kinds={kinds}
            patientId={patientId}
            step={12}
          />
        )}
      </Loaded>
      {latest.data?.complete === false ? (
        <MoreButton busy={latest.loadingMore} onClick={latest.loadMore}>
          {t('more.back')}
        </MoreButton>
      ) : null}
    </PanelFrame>
  );
}
