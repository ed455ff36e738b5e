/** Models a person can choose. Context sizes in tokens, as LibertAI serves them. */
export const MODELS = [
  { id: 'qwen3-coder-next', label: 'Qwen3 Coder', contextTokens: 98_304 },
  { id: 'glm-4.7', label: 'GLM 4.7', contextTokens: 131_072 },
] as const

export type ModelId = (typeof MODELS)[number]['id']

export function isOfferedModel(model: string): model is ModelId {
  return MODELS.some(({ id }) => id === model)
}
