import { Modal } from '@mantine/core';
import { useReturnFocus } from '@web/kit/focus';
import { type Command, RegistryContext } from '@web/kit/module';
import { type KeyboardEvent, useContext, useEffect, useId, useState } from 'react';
import { useField } from './field';
import { t } from './messages';
import styles from './Palette.module.css';
import { type Choice, type ChoiceGroup, matchingCommands, useFindings } from './palette';

export interface PaletteProps {
  /** What was typed stays when the palette is closed. */
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly commands: readonly Command[];
  readonly onCommand: (command: Command) => void;
  readonly onGo: (path: string) => void;
  readonly onClose: () => void;
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

interface OptionProps {
  readonly id: string;
  readonly choice: Choice;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Option({ id, choice, chosen, onChoose }: OptionProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are answered by the input that owns the list
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      className={styles['option']}
      onClick={onChoose}
    >
      <span className={styles['title']}>{choice.title}</span>
      <span className={styles['detail']}>{choice.detail}</span>
      {choice.keys === undefined ? null : <kbd>{choice.keys}</kbd>}
    </div>
  );
}

/** Which choice the keyboard stands on; a new list starts at its first. */
function useChosen(choices: readonly Choice[], list: string) {
  const [chosenId, setChosenId] = useState<string>();
  const found = choices.findIndex((choice) => choice.id === chosenId);
  const index = found === -1 ? 0 : found;
  const chosen = choices[index];
  const optionId = (choice: Choice): string => `${list}-${choice.id}`;
  useEffect(() => {
    if (chosen !== undefined) {
      document.getElementById(`${list}-${chosen.id}`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [chosen, list]);
  const move = (by: number): void => {
    const next = choices[(index + by + choices.length) % choices.length];
    setChosenId(next?.id);
  };
  return { chosen, move, optionId };
}

interface GroupsProps {
  readonly groups: readonly ChoiceGroup[];
  readonly chosen: Choice | undefined;
  readonly optionId: (choice: Choice) => string;
  readonly onChoose: (choice: Choice) => void;
}

function Groups({ groups, chosen, optionId, onChoose }: GroupsProps) {
  return groups.map((group) => (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset may not stand in a listbox
    <div key={group.key} role="group" aria-label={group.title} className={styles['group']}>
      <div className={styles['groupTitle']} aria-hidden>
        {group.title}
      </div>
      {group.choices.map((choice) => (
        <Option
          key={choice.id}
          id={optionId(choice)}
          choice={choice}
          chosen={choice === chosen}
          onChoose={() => onChoose(choice)}
        />
      ))}
    </div>
  ));
}

function usePalette({ query, commands, onCommand, onGo }: PaletteProps) {
  const { finders } = useContext(RegistryContext);
  const found = useFindings(finders, query, onGo);
  const matching = matchingCommands(commands, query, onCommand);
  const groups = [...found.groups, ...(matching.choices.length > 0 ? [matching] : [])];
  return { ...found, groups, choices: groups.flatMap((group) => group.choices) };
}

/** Search for patients and commands from anywhere. */
export function Palette(props: PaletteProps) {
  useReturnFocus();
  const { query, onQuery, onClose } = props;
  const { groups, choices, searching, failed } = usePalette(props);
  const list = useId();
  const field = useField(query, onQuery);
  const { chosen, move, optionId } = useChosen(choices, list);
  const choose = (choice: Choice | undefined): void => {
    if (choice !== undefined) {
      onClose();
      choice.run();
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.nativeEvent.isComposing || (step === undefined && event.key !== 'Enter')) {
      return;
    }
    event.preventDefault();
    if (step !== undefined) {
      move(step);
    } else if (!searching) {
      // While a search is under way the list is still that of the former letters.
      choose(chosen);
    }
  };
  const nothing = !searching && choices.length === 0 && failed.length === 0;
  return (
    <Modal.Root opened onClose={onClose} size="lg" yOffset="10vh" transitionProps={{ duration: 0 }}>
      <Modal.Overlay />
      <Modal.Content aria-label={t('palette.title')}>
        <input
          type="text"
          role="combobox"
          className={styles['input']}
          data-autofocus
          aria-label={t('palette.title')}
          placeholder={t('palette.placeholder')}
          aria-expanded={choices.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={chosen && optionId(chosen)}
          autoComplete="off"
          spellCheck={false}
          value={query}
          {...field}
          onKeyDown={onKeyDown}
        />
        <div id={list} role="listbox" aria-label={t('palette.title')} className={styles['list']}>
          <Groups groups={groups} chosen={chosen} optionId={optionId} onChoose={choose} />
        </div>
        <Foot query={query} nothing={nothing} failed={failed}>
          {searching ? t('palette.searching') : t('palette.results', { count: choices.length })}
        </Foot>
      </Modal.Content>
    </Modal.Root>
  );
}

interface FootProps {
  readonly query: string;
  readonly nothing: boolean;
  readonly failed: readonly string[];
  readonly children: string;
}

function Foot({ query, nothing, failed, children }: FootProps) {
  return (
    <div className={styles['foot']}>
      {failed.map((title) => (
        <p key={title} role="alert">
          {t('palette.failed', { title })}
        </p>
      ))}
      {nothing ? (
        <p>
          {t('palette.none', { query })} {t('palette.none.next')}
        </p>
      ) : null}
      <p>
        <span role="status">{children}</span> · {t('palette.hint')}
      </p>
    </div>
  );
}
