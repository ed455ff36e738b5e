/** Every counter there is. Labels take few values each: never an id, never a word of anybody. */
export const COUNTERS = {
  baal_updates_total: 'Updates taken from Telegram, by lane.',
  baal_turns_total: 'Turns that ended, by result: done, stopped, failed.',
  baal_turn_errors_total: 'Turns that failed, by code.',
  baal_telegram_calls_total: 'Calls to Telegram, by method and result; retry_after is a 429, unknown may have arrived.',
  baal_delivery_total: 'What became of messages that Telegram did not take at once, by outcome.',
  baal_model_requests_total: 'Requests to models, by model and result.',
  baal_deployment_steps_total: 'Steps that deployments have left behind, by kind of deployment and step.',
  baal_deployment_step_seconds_total: 'Time in those steps, and in those under way, also of deployments that failed.',
  baal_model_tokens_total: 'Tokens, by model and kind: prompt (cached ones among them), cached, completion.',
} as const
export type CounterName = keyof typeof COUNTERS

export const HISTOGRAMS = {
  baal_turn_seconds: 'From the start of a turn to its final words in the outbox.',
  baal_turn_first_words_seconds: 'From the start of a turn to the first words of the answer.',
  baal_telegram_call_seconds: 'How long Telegram took to answer.',
  baal_deployment_seconds: 'From the request for a deployment until it was done, by kind.',
} as const
export type HistogramName = keyof typeof HISTOGRAMS

/** Upper bounds in seconds: a draft's pace at one end, a long working turn at the other. */
export const BUCKETS_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const
/** A machine of the pool at one end, one that is placed late and needs every package at the other. */
const DEPLOYMENT_BUCKETS_S = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_200] as const

export function boundsOf(name: HistogramName): readonly number[] {
  return name === 'baal_deployment_seconds' ? DEPLOYMENT_BUCKETS_S : BUCKETS_S
}

/** One histogram for each of these; what is not named here has a single one. */
export function seriesOf(name: HistogramName): readonly Labels[] {
  if (name !== 'baal_deployment_seconds') return [{}]
  return ['create', 'repair', 'update', 'destroy'].map((kind) => ({ kind }))
}

export type Labels = Readonly<Record<string, string>>

export function renderLabels(labels: Labels): string {
  return Object.entries(labels)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '_')}"`)
    .join(',')
}
