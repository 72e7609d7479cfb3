/** Vite's manifest of a build (https://vite.dev/guide/backend-integration). */

export interface Chunk {
  readonly file: string;
  /** Keys of the chunks that must be there before this one runs. */
  readonly imports?: readonly string[];
}

export type Manifest = Readonly<Record<string, Chunk>>;

/** Return the scripts that an entry needs at once, itself included, each once. */
export function scriptsOf(manifest: Manifest, entry: string): readonly string[] {
  const seen = new Set<string>();
  const visit = (key: string): void => {
    const chunk = manifest[key];
    if (chunk === undefined) {
      throw new Error(`the manifest has no "${key}"`);
    }
    if (!seen.has(key)) {
      seen.add(key);
      chunk.imports?.forEach(visit);
    }
  };
  visit(entry);
  return [...seen].map((key) => manifest[key]?.file ?? '').filter((file) => file.endsWith('.js'));
}
