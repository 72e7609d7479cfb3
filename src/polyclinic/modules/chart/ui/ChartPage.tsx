import { usePatientScope } from '@web/fhir/queries';
import { useMediaQuery } from '@web/kit/media';
import type { PageProps } from '@web/kit/module';
import { Slot } from '@web/kit/Slot';
import { useEffect } from 'react';
import styles from './ChartPage.module.css';
import { t } from './messages';
import { rememberPatient } from './patients/recent';

interface ColumnProps {
  readonly name: 'chart.story' | 'chart.now';
  readonly patientId: string;
}

function Column({ name, patientId }: ColumnProps) {
  const title = t(name);
  return (
    <section className={styles['column']} aria-label={title}>
      <Slot name={name} patientId={patientId} />
    </section>
  );
}

/** The summary of a chart: the story on one side, the present on the other. */
export function ChartPage({ params }: PageProps) {
  const scope = usePatientScope();
  const patientId = params['patientId'] ?? scope ?? '';
  const wide = useMediaQuery('(min-width: 1000px)');
  useEffect(() => rememberPatient(patientId), [patientId]);
  // In one column the present comes first, in the document too: keyboard and eye take the same way.
  const order = wide
    ? (['chart.story', 'chart.now'] as const)
    : (['chart.now', 'chart.story'] as const);
  return (
    <>
      <h1 className="visually-hidden">{t('chart.title')}</h1>
      <div className={styles['columns']}>
        {order.map((name) => (
          <Column key={name} name={name} patientId={patientId} />
        ))}
      </div>
    </>
  );
}
