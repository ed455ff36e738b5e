/** How long each part of a call may take. Every wait of the runner ends with one of these. */

export interface RunnerLimits {
  /** One try to connect; the last one may outlive the caller's own limit by as much. */
  readonly handshakeMs: number
  /** A machine that boots may answer before its keys are in place: until then a refused key is tried again. */
  readonly keysMs: number
  readonly inspectMs: number
  /** The runtime is about 45 MB; a line of 2 Mbit/s carries it in three minutes. */
  readonly sendingMs: number
  /** Packages come from an archive that may be slow, after a lock that may be held for minutes. */
  readonly packagesMs: number
  /** How long a fresh agent may take until it answers. */
  readonly healthMs: number
  /** The same of one that is gone back to, which is known to come up. */
  readonly formerHealthMs: number
  readonly wipeMs: number
  /** For steps that are not listed above. */
  readonly stepMs: number
}

export const DEFAULT_LIMITS: RunnerLimits = {
  handshakeMs: 30_000,
  keysMs: 60_000,
  inspectMs: 2 * 60_000,
  sendingMs: 6 * 60_000,
  packagesMs: 12 * 60_000,
  healthMs: 45_000,
  formerHealthMs: 90_000,
  wipeMs: 3 * 60_000,
  stepMs: 90_000,
}

export function stepLimitMs(step: string, { packagesMs, healthMs, formerHealthMs, stepMs }: RunnerLimits): number {
  if (step === 'packages') return packagesMs
  if (step === 'rollback') return formerHealthMs + stepMs
  return step === 'health' ? healthMs + stepMs : stepMs
}
