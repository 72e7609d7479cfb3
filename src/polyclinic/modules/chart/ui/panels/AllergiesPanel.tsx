import { useSearch } from '@web/fhir/queries';
import type { AllergyIntolerance } from '@web/fhir/types';
import { type Fact, FactList, Folded } from '@web/kit/FactList';
import { conceptText, formatConcept, statusCode } from '@web/kit/format/concept';
import { formatDate } from '@web/kit/format/date';
import { Loaded } from '@web/kit/Loaded';
import { Mark } from '@web/kit/Mark';
import type { PanelSlotProps } from '@web/kit/module';
import { PanelFrame } from '@web/kit/Panel';
import { type AllergyPicture, allergyPicture } from '@web/kit/patient/allergies';
import { Sourced } from '@web/kit/source/Sourced';
import { t } from '../messages';
import { inErrorNote, withNames } from './names';

function Marks({ allergy }: { allergy: AllergyIntolerance }) {
  const confirmed = statusCode(allergy.verificationStatus) !== 'unconfirmed';
  return (
    <>
      {allergy.criticality === 'high' ? <Mark tone="act">{t('allergies.high')}</Mark> : null}
      {allergy.criticality === 'unable-to-assess' ? (
        <Mark tone="look">{t('allergies.unknownRisk')}</Mark>
      ) : null}
      {confirmed ? null : <Mark tone="look">{t('allergies.unconfirmed')}</Mark>}
    </>
  );
}

/** What happened: "Anaphylaxis (severe), Rash". */
function reactionText(allergy: AllergyIntolerance): string {
  return (allergy.reaction ?? [])
    .map((reaction) => {
      const what = (reaction.manifestation ?? []).map(formatConcept).join(', ');
      return reaction.severity === 'severe' ? `${what} (${t('allergies.severe')})` : what;
    })
    .filter(Boolean)
    .join('; ');
}

function factOf(allergy: AllergyIntolerance): Fact {
  const name = formatConcept(allergy.code);
  return {
    key: allergy.id ?? name,
    title: (
      <Sourced resource={allergy} label={name}>
        {name}
      </Sourced>
    ),
    marks: <Marks allergy={allergy} />,
    detail: reactionText(allergy),
    when: formatDate(allergy.recordedDate ?? allergy.onsetDateTime) || t('date.unknown'),
  };
}

function answerOf({ active, negative, noneKnown }: AllergyPicture): string {
  if (active.length > 0) {
    const names = active.map((allergy) => formatConcept(allergy.code));
    return withNames(t('allergies.active', { count: active.length }), names);
  }
  if (noneKnown) {
    return t('allergies.noneKnown');
  }
  const stated = negative.flatMap((allergy) => conceptText(allergy.code) ?? []);
  return stated.length > 0 ? stated.join(', ') : t('allergies.notRecorded');
}

/** Allergies and intolerances, the most dangerous first. */
export function AllergiesPanel({ patientId }: PanelSlotProps) {
  const { data, error, retry } = useSearch('AllergyIntolerance', {
    patient: patientId,
    _count: 100,
  });
  const picture = data && allergyPicture(data.resources);
  const stated = picture === undefined ? 0 : picture.active.length + picture.negative.length;
  return (
    <PanelFrame
      title={t('allergies.title')}
      answer={picture && answerOf(picture)}
      footnotes={inErrorNote(picture?.enteredInError ?? 0)}
    >
      <Loaded
        what={t('allergies.title')}
        data={picture}
        error={error}
        retry={retry}
        isEmpty={({ past, refuted }) => stated + past.length + refuted.length === 0}
        emptyText={t('allergies.ask')}
      >
        {({ active, negative, past, refuted }) => (
          <>
            <FactList facts={[...active, ...negative].map(factOf)} />
            <Folded title={t('allergies.past', { count: past.length })} facts={past.map(factOf)} />
            <Folded
              title={t('allergies.refuted', { count: refuted.length })}
              facts={refuted.map(factOf)}
            />
          </>
        )}
      </Loaded>
    </PanelFrame>
  );
}
