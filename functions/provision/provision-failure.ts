/** Why a deployment stopped: a code that the chat has words for, and a sentence for the log. */
export class ProvisionFailure extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Worth another try by itself: it may have nothing to do with this machine. */
const TRANSIENT: ReadonlySet<string> = new Set(['runner_unreachable', 'disconnected', 'busy', 'internal'])

/** The machine, or the node under it, is to blame: another one may do better. */
export const MACHINE_FAILURES: readonly string[] = [
  'placement_timeout',
  'no_capacity',
  'wrong_image',
  'accept_timeout',
  'unreachable',
  'host_key_mismatch',
  'auth_failed',
  'disconnected',
  'step_failed',
  'timeout',
  'unhealthy',
  'unreachable_outside',
  'machine_gone',
]
const BLAMES_MACHINE: ReadonlySet<string> = new Set(MACHINE_FAILURES)

export function isTransient(code: string): boolean {
  return TRANSIENT.has(code)
}

export function blamesMachine(error: unknown): error is ProvisionFailure {
  return error instanceof ProvisionFailure && BLAMES_MACHINE.has(error.code)
}
