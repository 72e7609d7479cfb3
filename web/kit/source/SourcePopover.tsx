import { CloseButton } from '@mantine/core';
import { useLayoutEffect, useRef } from 'react';
import { t } from '../messages';
import { PatientStrip } from '../patient/PatientStrip';
import type { SourceRequest } from './SourceContext';
import { SourceFacts } from './SourceFacts';
import styles from './SourcePopover.module.css';

const MARGIN = 8;

/** Below the anchor where there is room, else above; never outside the window. */
function place(popover: HTMLElement, anchor: HTMLElement): void {
  const { innerWidth, innerHeight } = window;
  const at = anchor.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const below = at.bottom + MARGIN + height <= innerHeight;
  const top = below ? at.bottom + MARGIN : Math.max(MARGIN, at.top - MARGIN - height);
  popover.style.top = `${Math.min(top, Math.max(MARGIN, innerHeight - height - MARGIN))}px`;
  popover.style.left = `${Math.min(Math.max(MARGIN, at.left), innerWidth - width - MARGIN)}px`;
}

interface SourcePopoverProps {
  readonly request: SourceRequest;
  readonly onClose: () => void;
}

/** The dialog beside a fact: record, version, time, author, codes. */
export function SourcePopover({ request, onClose }: SourcePopoverProps) {
  const popover = useRef<HTMLDivElement>(null);
  const { anchor } = request;
  useLayoutEffect(() => {
    const element = popover.current;
    if (element === null) {
      return undefined;
    }
    element.showPopover?.();
    place(element, anchor);
    element.focus();
    const observer = new ResizeObserver(() => place(element, anchor));
    observer.observe(element);
    return () => {
      observer.disconnect();
      anchor.focus({ preventScroll: true });
    };
  }, [anchor]);
  return (
    <div
      ref={popover}
      popover="auto"
      role="dialog"
      aria-label={`${t('source.title')}: ${request.label}`}
      tabIndex={-1}
      className={styles['popover']}
      onToggle={(event) => event.newState === 'closed' && onClose()}
    >
      <div className={styles['head']}>
        <h2>{request.label}</h2>
        <CloseButton size="sm" aria-label={t('dialog.close')} onClick={onClose} />
      </div>
      <SourceFacts resource={request.resource} value={request.value} />
      <PatientStrip />
    </div>
  );
}
