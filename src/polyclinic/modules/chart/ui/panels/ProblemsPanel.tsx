import { useSearch } from '@web/fhir/queries';
import type { Condition } from '@web/fhir/types';
import { type Fact, FactList, Folded } from '@web/kit/FactList';
import { conceptText, formatConcept, statusCode } from '@web/kit/format/concept';
import { formatDate } from '@web/kit/format/date';
import { Loaded } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { Sourced } from '@web/kit/source/Sourced';
import { t } from '../messages';
import { inErrorNote, withNames } from './names';
import { abatementText, isUnsure, onsetText, type ProblemList, problemList } from './problems';

function Marks({ condition }: { condition: Condition }) {
  const severity = conceptText(condition.severity);
  return (
    <>
      {statusCode(condition.verificationStatus) === 'refuted' ? (
        <Mark>{t('problems.refutedMark')}</Mark>
      ) : null}
      {isUnsure(condition) ? <Mark tone="look">{t('problems.unconfirmed')}</Mark> : null}
      {condition.clinicalStatus === undefined &&
      statusCode(condition.verificationStatus) !== 'refuted' ? (
        <Mark>{t('problems.statusMissing')}</Mark>
      ) : null}
      {severity === undefined ? null : <Mark>{severity}</Mark>}
    </>
  );
}

function whenOf(condition: Condition): string {
  const known = [onsetText(condition), abatementText(condition)].filter(Boolean).join(', ');
  if (known !== '') {
    return known;
  }
  return condition.recordedDate === undefined
    ? t('date.unknown')
    : t('problems.recorded', { date: formatDate(condition.recordedDate) });
}

function factOf(condition: Condition): Fact {
  const name = formatConcept(condition.code);
  return {
    key: condition.id ?? name,
    title: (
      <Sourced resource={condition} label={name}>
        {name}
      </Sourced>
    ),
    marks: <Marks condition={condition} />,
    when: whenOf(condition),
  };
}

function answerOf({ active }: ProblemList): string {
  const names = active.map((condition) => formatConcept(condition.code));
  return active.length === 0
    ? t('problems.none')
    : withNames(t('problems.active', { count: active.length }), names);
}

/** Problems: the active ones, then those that are over or were ruled out. */
export function ProblemsPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry } = useSearch('Condition', { patient: patientId, _count: 200 }, 1000);
  const list = data && problemList(data.resources);
  const shown = list && [...list.active, ...list.past, ...list.refuted];
  return (
    <PanelFrame
      title={t('problems.title')}
      answer={list && shown && shown.length > 0 ? answerOf(list) : undefined}
      footnotes={inErrorNote(list?.enteredInError ?? 0)}
    >
      <Loaded
        what={t('problems.title')}
        data={list}
        error={error}
        retry={retry}
        isEmpty={() => shown?.length === 0}
        emptyText={t('problems.empty')}
      >
        {({ active, past, refuted }) => (
          <>
            <FactList facts={active.map(factOf)} first={8} />
            <Folded
              title={t('problems.resolved', { count: past.length })}
              facts={past.map(factOf)}
            />
            <Folded
              title={t('problems.refuted', { count: refuted.length })}
              facts={refuted.map(factOf)}
            />
          </>
        )}
      </Loaded>
    </PanelFrame>
  );
}
