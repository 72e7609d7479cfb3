import type { Observation } from '@web/fhir/types';
import { applicableRange, attentionOf, deviationOf } from '@web/kit/observation/range';
import { t } from '../messages';
import { type Kind, momentOf, partsOf, standsOut } from '../results/kinds';
import { kindAnswer } from '../results/text';

function latestOf(kind: Kind): Observation | undefined {
  return kind.observations[0];
}

function urgency(kind: Kind): number {
  const latest = latestOf(kind);
  const attentions =
    latest === undefined ? [] : partsOf(latest).map((part) => attentionOf(part.value));
  if (attentions.includes('critical')) {
    return 0;
  }
  return attentions.includes('abnormal') ? 1 : 2;
}

/** How far the latest value lies beyond its bound, as a share of the bound. */
function excess(kind: Kind): number {
  const latest = latestOf(kind);
  const shares = (latest === undefined ? [] : partsOf(latest)).map(({ value }) => {
    const deviation = deviationOf(value);
    const { low, high } = deviation?.range ?? {};
    const bound = deviation?.direction === 'above' ? high?.value : low?.value;
    const beyond = Math.abs((value.valueQuantity?.value ?? 0) - (bound ?? 0));
    return deviation === undefined || deviation.direction === 'inside' || !bound
      ? 0
      : beyond / Math.abs(bound);
  });
  return Math.max(0, ...shares);
}

/**
 * Put results in the order in which they need a reader: critical, abnormal, within these the farthest out, then
 * the newest.
 */
export function labOrder(kinds: readonly Kind[]): readonly Kind[] {
  const moment = (kind: Kind): number => {
    const latest = latestOf(kind);
    return latest === undefined ? 0 : momentOf(latest);
  };
  return [...kinds].sort(
    (a, b) => urgency(a) - urgency(b) || excess(b) - excess(a) || moment(b) - moment(a),
  );
}

function hasRange(observation: Observation | undefined): boolean {
  return (
    observation !== undefined &&
    partsOf(observation).some((part) => applicableRange(part.value) !== undefined)
  );
}

/** Return the one line about the laboratory: what stands out, else that nothing does, else the newest. */
export function labAnswer(kinds: readonly Kind[]): string | undefined {
  const [first] = kinds;
  const latest = kinds.flatMap((kind) => latestOf(kind) ?? []);
  const outside = latest.filter(standsOut);
  if (first === undefined) {
    return undefined;
  }
  if (outside.length > 0) {
    const count = t('labs.outside', { count: outside.length, total: latest.length });
    return `${count}: ${kindAnswer(first)}`;
  }
  const ranged = latest.filter(hasRange);
  return ranged.length > 0 ? t('labs.inside', { count: ranged.length }) : kindAnswer(first);
}

/** Return the footnote for results that came without any range. */
export function rangeNote(kinds: readonly Kind[]): readonly string[] {
  const known = kinds.some((kind) => {
    const latest = latestOf(kind);
    return hasRange(latest) || (latest !== undefined && standsOut(latest));
  });
  return kinds.length === 0 || known ? [] : [t('labs.noRange')];
}
