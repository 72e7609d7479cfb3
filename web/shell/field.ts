import { type ChangeEvent, type RefObject, useEffect, useRef } from 'react';

export interface Field {
  readonly ref: RefObject<HTMLInputElement | null>;
  readonly onChange: (event: ChangeEvent<HTMLInputElement>) => void;
  readonly onFocus: () => void;
}

/** Whether a key writes a letter somewhere else than in the field. */
function isEarly(event: KeyboardEvent, field: HTMLInputElement | null): boolean {
  const chorded = event.ctrlKey || event.metaKey || event.altKey;
  return event.target !== field && event.key.length === 1 && !chorded;
}

/**
 * Return the properties of a field that opens with what was typed before, selected.
 *
 * Letters typed before the field has the focus are kept: who knows the keys does not wait for it.
 */
export function useField(text: string, onText: (text: string) => void): Field {
  const ref = useRef<HTMLInputElement>(null);
  const typed = useRef(false);
  const add = useRef<(letter: string) => void>(() => undefined);
  useEffect(() => {
    add.current = (letter) => {
      onText(typed.current ? text + letter : letter);
      typed.current = true;
    };
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isEarly(event, ref.current)) {
        event.preventDefault();
        add.current(event.key);
        ref.current?.focus();
      }
    };
    window.addEventListener('keydown', onKey, true);
    return () => window.removeEventListener('keydown', onKey, true);
  }, []);
  return {
    ref,
    onChange: (event) => {
      typed.current = true;
      onText(event.currentTarget.value);
    },
    onFocus: () => {
      if (!typed.current) {
        ref.current?.select();
      }
    },
  };
}
