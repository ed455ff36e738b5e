/** What models cost so far, where the operator has said what a token costs. */
import type { Config } from '../config.ts'
import type { Gauge } from './gauges.ts'
import { renderLabels } from './metric-names.ts'
import type { Increment } from './metrics-buffer.ts'

export function modelCost(sums: readonly Increment[], prices: Config['MODEL_PRICES']): Gauge {
  const tokens = (model: string, kind: string) =>
    sums.find(({ name, labels }) => name === 'baal_model_tokens_total' && labels === renderLabels({ model, kind }))
      ?.value ?? 0
  return {
    name: 'baal_model_dollars',
    help: 'What the tokens of all time cost, at the prices of MODEL_PRICES.',
    values: [...prices].map(([model, { read, written }]) => ({
      labels: renderLabels({ model }),
      value: (tokens(model, 'prompt') * read + tokens(model, 'completion') * written) / 1e6,
    })),
  }
}
