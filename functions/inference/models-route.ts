/** `GET /v1/models`: what an agent may ask for, without asking the provider. */
import { Hono } from 'hono'
import { MODELS } from '../models.ts'
import { renderFailure } from './api-failure.ts'
import { authenticate, type GatewayEnv } from './authenticate.ts'
import { rateLimit } from './rate-limit.ts'

const LIST = MODELS.map(({ id, contextTokens }) => ({
  id,
  object: 'model',
  created: 0,
  owned_by: 'libertai',
  max_model_len: contextTokens,
}))

export const modelsRoute = new Hono<GatewayEnv>()
  .get('/v1/models', authenticate, rateLimit, (c) => c.json({ object: 'list', data: LIST }))
  .get('/v1/models/:id', authenticate, rateLimit, (c) => {
    const model = LIST.find(({ id }) => id === c.req.param('id'))
    return model
      ? c.json(model)
      : renderFailure({ status: 404, code: 'model_not_found', message: 'This model is not offered.' })
  })
