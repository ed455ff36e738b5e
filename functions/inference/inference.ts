/** What agents reach with their scoped key: models and web search, OpenAI-compatible. */
import { Hono } from 'hono'
import type { GatewayEnv } from './authenticate.ts'
import { completions } from './completions.ts'
import { modelsRoute } from './models-route.ts'
import { search } from './search.ts'

export const inference = new Hono<GatewayEnv>().route('/', completions).route('/', modelsRoute).route('/', search)
