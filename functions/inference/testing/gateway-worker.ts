/** The Worker's gateway routes, with the Worker's own answers to what goes wrong. */
import { Hono } from 'hono'
import { answerError, answerNotFound } from '../../answer-failure.ts'
import { inference } from '../inference.ts'

const app = new Hono().route('/', inference)
app.notFound(answerNotFound(app))
app.onError(answerError)

// biome-ignore lint/style/noDefaultExport: what the platform starts
export default app
