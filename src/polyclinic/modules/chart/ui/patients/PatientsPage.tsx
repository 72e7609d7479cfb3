import { useQueries, useQuery } from '@tanstack/react-query';
import { read } from '@web/fhir/client';
import type { FhirError } from '@web/fhir/outcome';
import { useSearch } from '@web/fhir/queries';
import { TextInput } from '@web/kit/controls';
import { formatCount } from '@web/kit/format/number';
import { Loaded } from '@web/kit/Loaded';
import { MoreButton } from '@web/kit/MoreButton';
import { PanelFrame } from '@web/kit/Panel';
import { useDeferredValue, useState } from 'react';
import { t } from '../messages';
import styles from './Patients.module.css';
import { PatientTable } from './PatientTable';
import { recentPatients } from './recent';
import { type FoundPatients, findPatients } from './search';

const PAGE = 50;
const SHORTEST_QUERY = 2;

/** What was typed, kept for the way back but in no address and no storage. */
function useTyped(): readonly [string, (typed: string) => void] {
  const [typed, setTyped] = useState(() => {
    const state = window.history.state as { patients?: string } | null;
    return state?.patients ?? '';
  });
  const change = (next: string): void => {
    setTyped(next);
    window.history.replaceState({ ...window.history.state, patients: next }, '');
  };
  return [typed, change];
}

function RecentPatients() {
  const [ids] = useState(recentPatients);
  const results = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['read', 'Patient', id, id],
      queryFn: ({ signal }: { signal: AbortSignal }) => read('Patient', id, { signal }),
    })),
  });
  const patients = results.flatMap((result) => result.data ?? []);
  const waiting = results.some((result) => result.isPending);
  const failed = results.filter((result) => result.isError).length;
  return (
    <PanelFrame title={t('patients.recent')}>
      <Loaded
        what={t('patients.recent')}
        data={waiting ? undefined : patients}
        error={null}
        emptyText={t('patients.recent.empty')}
        partial={{ asked: results.length, answered: results.length - failed }}
      >
        {(found) => <PatientTable caption={t('patients.recent')} patients={found} />}
      </Loaded>
    </PanelFrame>
  );
}

function AllPatients() {
  const { data, error, retry, loadMore, loadingMore } = useSearch(
    'Patient',
    { _sort: 'family', _count: PAGE, _total: 'accurate' },
    PAGE,
  );
  const total = data?.total;
  return (
    <PanelFrame
      title={t('patients.all')}
      {...(total === undefined ? {} : { count: formatCount(total) })}
    >
      <Loaded
        what={t('patients.all')}
        data={data}
        error={error}
        retry={retry}
        isEmpty={(found) => found.resources.length === 0}
        emptyText={t('patients.empty')}
        emptyHint={t('patients.empty.next')}
      >
        {(found) => (
          <>
            <PatientTable caption={t('patients.all')} patients={found.resources} />
            {found.complete ? null : (
              <MoreButton busy={loadingMore} onClick={loadMore}>
                {t('patients.more')}
              </MoreButton>
            )}
          </>
        )}
      </Loaded>
    </PanelFrame>
  );
}

function FoundPanel({ typed }: { typed: string }) {
  const { data, error, refetch } = useQuery<FoundPatients, FhirError>({
    queryKey: ['find-patients', typed],
    queryFn: ({ signal }) => findPatients(typed, PAGE, signal),
    placeholderData: (former) => former,
  });
  const total = data?.total;
  return (
    <PanelFrame
      title={t('patients.found')}
      {...(total === undefined ? {} : { count: t('patients.count', { count: total }) })}
    >
      <Loaded
        what={t('patients.found')}
        data={data}
        error={error}
        retry={() => void refetch()}
        isEmpty={(found) => found.patients.length === 0}
        emptyText={t('patients.none')}
        emptyHint={t('patients.none.next')}
      >
        {(found) => <PatientTable caption={t('patients.found')} patients={found.patients} />}
      </Loaded>
    </PanelFrame>
  );
}

/** Find a patient, or go back to one. */
export function PatientsPage() {
  const [typed, setTyped] = useTyped();
  const query = useDeferredValue(typed.trim());
  return (
    <div className={styles['page']}>
      <h1 className={styles['heading']}>{t('patients.title')}</h1>
      <search className={styles['search']}>
        <TextInput
          type="search"
          label={t('patients.search')}
          description={t('patients.search.hint')}
          value={typed}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </search>
      {query.length >= SHORTEST_QUERY ? (
        <FoundPanel typed={query} />
      ) : (
        <>
          <RecentPatients />
          <AllPatients />
        </>
      )}
    </div>
  );
}
