import { Button } from '@mantine/core';
import { stringifyJson } from '@web/fhir/json';
import { usePage, useResource } from '@web/fhir/queries';
import type { ObservationValue, Reference, Resource } from '@web/fhir/types';
import { type ReactNode, useState } from 'react';
import { formatCoding } from '../format/concept';
import { formatDateTime } from '../format/date';
import { formatFullName } from '../format/person';
import { formatExactQuantity, formatRange } from '../format/quantity';
import { t } from '../messages';
import { issuedText, statusText, subjectConcept, whenText, whoOf } from './facts';
import styles from './SourcePopover.module.css';

/** A person by name; the name is looked up where the reference does not carry it. */
function Who({ reference }: { reference: Reference }) {
  const [type, id] = (reference.reference ?? '').split('/').slice(-2);
  const known = reference.display !== undefined || type !== 'Practitioner';
  const { data } = useResource('Practitioner', known ? undefined : id);
  return <>{reference.display ?? (data && formatFullName(data.name)) ?? reference.reference}</>;
}

function People({ references }: { references: readonly Reference[] }) {
  return references.map((reference, index) => (
    <span key={reference.reference ?? reference.display}>
      {index > 0 ? ', ' : ''}
      <Who reference={reference} />
    </span>
  ));
}

function ProvenanceText({ target }: { target: string }) {
  const { data, error } = usePage('Provenance', { target, _count: 5, _sort: '-recorded' });
  const [latest] = data?.matches ?? [];
  if (error !== null || (data !== undefined && latest === undefined)) {
    return t('source.none');
  }
  const who = (latest?.agent ?? []).flatMap((agent) => agent.who ?? []);
  return (
    <>
      {formatDateTime(latest?.recorded)} <People references={who} />
    </>
  );
}

interface Fact {
  readonly name: string;
  readonly text: ReactNode;
}

function factsOf(resource: Resource, value: ObservationValue | undefined): readonly Fact[] {
  const who = whoOf(resource);
  const codings = subjectConcept(resource)?.coding ?? [];
  const range = value?.referenceRange?.map((item) => item.text ?? formatRange(item));
  return [
    { name: t('source.exact'), text: formatExactQuantity(value?.valueQuantity) },
    { name: t('source.range'), text: range?.filter(Boolean).join('; ') },
    { name: t('source.when'), text: whenText(resource) || t('source.notRecorded') },
    { name: t('source.issued'), text: issuedText(resource) },
    {
      name: t('source.who'),
      text: who.length > 0 ? <People references={who} /> : t('source.notRecorded'),
    },
    { name: t('source.status'), text: statusText(resource) },
    { name: t('source.codes'), text: codings.map(formatCoding).join('; ') },
    { name: t('source.system'), text: resource.meta?.source },
  ].filter((fact) => fact.text !== undefined && fact.text !== '');
}

interface SourceFactsProps {
  readonly resource: Resource;
  readonly value?: ObservationValue | undefined;
}

export function SourceFacts({ resource, value }: SourceFactsProps) {
  const [raw, setRaw] = useState(false);
  const address = `${resource.resourceType}/${resource.id ?? ''}`;
  return (
    <>
      <dl className={styles['facts']}>
        {factsOf(resource, value).map((fact) => (
          <FactRow key={fact.name} name={fact.name}>
            {fact.text}
          </FactRow>
        ))}
        <FactRow name={t('source.provenance')}>
          <ProvenanceText target={address} />
        </FactRow>
        <FactRow name={t('source.resource')}>
          <span className={styles['id']}>{address}</span>
        </FactRow>
        <FactRow name={t('source.version')}>{resource.meta?.versionId ?? '–'}</FactRow>
        <FactRow name={t('source.stored')}>{formatDateTime(resource.meta?.lastUpdated)}</FactRow>
      </dl>
      {raw ? (
        <section aria-label={t('source.rawTitle')}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by key */}
          <pre className={styles['raw']} tabIndex={0}>
            {stringifyJson(resource, 2)}
          </pre>
        </section>
      ) : (
        <Button
          className={styles['more'] ?? ''}
          variant="default"
          size="compact-sm"
          onClick={() => setRaw(true)}
        >
          {t('source.raw')}
        </Button>
      )}
    </>
  );
}

function FactRow({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
