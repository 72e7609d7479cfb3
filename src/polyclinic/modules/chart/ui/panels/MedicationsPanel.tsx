import { useSearch } from '@web/fhir/queries';
import type { MedicationRequest } from '@web/fhir/types';
import { type Fact, FactList, Folded } from '@web/kit/FactList';
import { conceptText } from '@web/kit/format/concept';
import { formatDate } from '@web/kit/format/date';
import { Loaded } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { Sourced } from '@web/kit/source/Sourced';
import { t } from '../messages';
import {
  doseText,
  isTaken,
  type MedicationList,
  medicationList,
  medicationName,
} from './medications';
import { inErrorNote, withNames } from './names';

const STATUS_WORDS: Readonly<Record<string, () => string>> = {
  'on-hold': () => t('medications.onHold'),
  draft: () => t('medications.draft'),
  unknown: () => t('medications.unknown'),
};

function Marks({ request }: { request: MedicationRequest }) {
  const status = STATUS_WORDS[request.status ?? 'unknown'];
  const proposed = request.intent === 'proposal' || request.intent === 'plan';
  return (
    <>
      {request.doNotPerform === true ? <Mark tone="act">{t('medications.doNot')}</Mark> : null}
      {status === undefined ? null : <Mark tone="look">{status()}</Mark>}
      {proposed ? <Mark tone="info">{t('medications.proposed')}</Mark> : null}
    </>
  );
}

function detailOf(request: MedicationRequest): string {
  const reason = conceptText(request.statusReason);
  return [
    doseText(request) ?? t('medications.noDose'),
    reason && t('medications.reason', { reason }),
  ]
    .filter(Boolean)
    .join(', ');
}

function factOf(request: MedicationRequest): Fact {
  const name = medicationName(request);
  return {
    key: request.id ?? name,
    title: (
      <Sourced resource={request} label={name}>
        {name}
      </Sourced>
    ),
    marks: <Marks request={request} />,
    detail: detailOf(request),
    when:
      request.authoredOn === undefined
        ? t('date.unknown')
        : t('medications.since', { date: formatDate(request.authoredOn) }),
  };
}

function answerOf({ current }: MedicationList): string {
  const taken = current.filter(isTaken);
  return taken.length === 0
    ? t('medications.none')
    : withNames(t('medications.active', { count: taken.length }), taken.map(medicationName));
}

/** Medications that were ordered, those to be taken now first. */
export function MedicationsPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry } = useSearch(
    'MedicationRequest',
    { patient: patientId, _count: 200 },
    1000,
  );
  const list = data && medicationList(data.resources);
  const shown = list === undefined ? 0 : list.current.length + list.past.length;
  return (
    <PanelFrame
      title={t('medications.title')}
      answer={list && shown > 0 ? answerOf(list) : undefined}
      footnotes={inErrorNote(list?.enteredInError ?? 0)}
    >
      <Loaded
        what={t('medications.title')}
        data={list}
        error={error}
        retry={retry}
        isEmpty={() => shown === 0}
        emptyText={t('medications.empty')}
      >
        {({ current, past }) => (
          <>
            <FactList facts={current.map(factOf)} />
            <Folded
              title={t('medications.past', { count: past.length })}
              facts={past.map(factOf)}
            />
          </>
        )}
      </Loaded>
    </PanelFrame>
  );
}
