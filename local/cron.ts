/** `wrangler dev` never fires crons by itself: ask for each of wrangler.toml's at its time. */
import { Cron } from 'croner'

export function startCron(
  workerUrl: string,
  crons: readonly string[],
  onFailure: (cron: string) => void,
): { stop(): void } {
  const jobs = crons.map(
    (cron) =>
      new Cron(cron, { protect: true, unref: true }, async () => {
        try {
          const url = `${workerUrl}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(cron)}`
          const response = await fetch(url, { signal: AbortSignal.timeout(60_000) })
          await response.body?.cancel()
          if (!response.ok) onFailure(cron)
        } catch {
          onFailure(cron)
        }
      }),
  )
  return {
    stop() {
      for (const job of jobs) job.stop()
    },
  }
}
