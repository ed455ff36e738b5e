/** Telegram animates changes of a draft with the same id (non-zero); a turn keeps its own over restarts. */
export function draftIdOf(turnId: string): number {
  // FNV-1a, 31 bits: only one draft is shown in a chat at a time, so a collision would harm nobody.
  let hash = 0x811c9dc5
  for (let at = 0; at < turnId.length; at++) hash = Math.imul(hash ^ turnId.charCodeAt(at), 0x01000193)
  return hash >>> 1 || 1
}
