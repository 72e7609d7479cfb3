/** Ids of the charts opened in this window, newest first. Ids only: no name outlives the page. */

const KEY = 'polyclinic.recent-patients';
const MOST = 8;

export function recentPatients(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberPatient(id: string): void {
  const ids = [id, ...recentPatients().filter((other) => other !== id)].slice(0, MOST);
  sessionStorage.setItem(KEY, JSON.stringify(ids));
}
