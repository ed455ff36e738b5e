/** Waits, or returns at once when the signal fires: an early end is not an error. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    // A timer beyond 2^31 ms would fire at once.
    const timer = setTimeout(done, Math.min(ms, 2_000_000_000))
    signal?.addEventListener('abort', done, { once: true })
  })
}
