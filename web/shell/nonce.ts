/** Return the nonce under which this page may add styles; the server makes a new one with each answer. */
export function nonce(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  // Browsers hide the attribute's value from scripts and keep it in the property.
  return meta?.nonce ?? meta?.getAttribute('nonce') ?? '';
}
