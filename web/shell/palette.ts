import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import type { Command, Finder, Finding } from '@web/kit/module';
import { t } from './messages';

/** One line of the palette. */
export interface Choice {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly keys?: string | undefined;
  readonly run: () => void;
}

export interface ChoiceGroup {
  readonly key: string;
  readonly title: string;
  readonly choices: readonly Choice[];
}

const PAUSE_MS = 120;
const SHORTEST_QUERY = 2;

export interface Found {
  readonly searching: boolean;
  readonly failed: readonly string[];
  readonly groups: readonly ChoiceGroup[];
}

function choicesOf(findings: readonly Finding[], go: (path: string) => void): Choice[] {
  return findings.map((finding) => ({
    id: finding.key,
    title: finding.title,
    detail: finding.detail,
    run: () => go(finding.path),
  }));
}

/** Ask every finder for what is typed, once typing pauses. */
export function useFindings(
  finders: readonly Finder[],
  typed: string,
  go: (path: string) => void,
): Found {
  const [query] = useDebouncedValue(typed.trim(), PAUSE_MS);
  const asked = query.length >= SHORTEST_QUERY;
  const results = useQueries({
    queries: finders.map((finder) => ({
      queryKey: ['find', finder.key, query],
      queryFn: ({ signal }: { signal: AbortSignal }) => finder.find(query, signal),
      enabled: asked,
      placeholderData: keepPreviousData,
    })),
  });
  const groups = finders.map((finder, index) => ({
    key: finder.key,
    title: finder.title(),
    choices: asked ? choicesOf(results[index]?.data ?? [], go) : [],
  }));
  return {
    searching: asked && (query !== typed.trim() || results.some((result) => result.isFetching)),
    failed: asked
      ? finders.filter((_, index) => results[index]?.isError).map((finder) => finder.title())
      : [],
    groups: groups.filter((group) => group.choices.length > 0),
  };
}

/** Return the commands whose title holds every word that is typed. */
export function matchingCommands(
  commands: readonly Command[],
  typed: string,
  run: (command: Command) => void,
): ChoiceGroup {
  const words = typed.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return {
    key: 'commands',
    title: t('palette.commands'),
    choices: commands
      .filter((command) => {
        const title = command.title().toLocaleLowerCase();
        return words.every((word) => title.includes(word));
      })
      .map((command) => ({
        id: `command-${command.key}`,
        title: command.title(),
        detail: '',
        keys: command.keys,
        run: () => run(command),
      })),
  };
}
