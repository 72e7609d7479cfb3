import { PatientScope, useResource } from '@web/fhir/queries';
import { Guarded } from '@web/kit/Guarded';
import { Loading } from '@web/kit/Loaded';
import type { Page } from '@web/kit/module';
import { SourceProvider } from '@web/kit/source/SourceContext';
import { type ReactNode, Suspense, useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import styles from './Frame.module.css';
import { t } from './messages';
import { PatientBanner } from './PatientBanner';

let shownBefore = false;

/** Name the page in the window's title, tell it to a screen reader, and move the keyboard to it. */
function useArrival(title: string) {
  const main = useRef<HTMLElement>(null);
  const [path] = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: arriving at another address is the event
  useEffect(() => {
    document.title = t('page.title', { page: title });
    if (shownBefore) {
      main.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    shownBefore = true;
  }, [path, title]);
  return main;
}

function Main({ title, children }: { title: string; children: ReactNode }) {
  const main = useArrival(title);
  return (
    <>
      <p className="visually-hidden" aria-live="polite">
        {title}
      </p>
      <main id="main" ref={main} tabIndex={-1} className={styles['main']}>
        {children}
      </main>
    </>
  );
}

interface OfKnownPatientProps {
  readonly id: string;
  readonly title: string;
  readonly children: ReactNode;
}

/** Nothing of a chart is shown unless it is known whose it is. */
function OfKnownPatient({ id, title, children }: OfKnownPatientProps) {
  const { data, isError } = useResource('Patient', id);
  if (!isError || data !== undefined) {
    return children;
  }
  return (
    <Main title={title}>
      <h1 className="visually-hidden">{title}</h1>
    </Main>
  );
}

interface PageFrameProps {
  readonly page: Page;
  readonly params: Readonly<Record<string, string>>;
}

/** A page with what every page needs; below the banner where it is one of a chart. */
export function PageFrame({ page, params }: PageFrameProps) {
  const title = page.title();
  const patientId = params['patientId'];
  const body = (
    <SourceProvider>
      <Main title={title}>
        <Guarded key={page.path} title={title}>
          <Suspense fallback={<Loading what={title} />}>
            <page.component params={params} />
          </Suspense>
        </Guarded>
      </Main>
    </SourceProvider>
  );
  return patientId === undefined ? (
    body
  ) : (
    <PatientScope key={patientId} id={patientId}>
      <PatientBanner id={patientId} />
      <OfKnownPatient id={patientId} title={title}>
        {body}
      </OfKnownPatient>
    </PatientScope>
  );
}

export function NotFound() {
  return (
    <Main title={t('page.notFound')}>
      <h1 className={styles['title']}>{t('page.notFound')}</h1>
      <p>{t('page.notFound.next')}</p>
    </Main>
  );
}
