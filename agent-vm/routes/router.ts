/** Finds the route of an address. */
import type { Route } from './route.ts'
import { Refused } from './route.ts'

export interface Found {
  readonly route: Route
  readonly params: Record<string, string>
}

interface Pattern {
  readonly route: Route
  readonly expression: RegExp
  readonly names: readonly string[]
}

/** The first route that fits is taken. @throws {Refused} when the address is not encoded correctly */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => Found | undefined {
  const patterns = routes.map(compile)
  return (method, path) => {
    // What may be read may be asked for without its body.
    const wanted = method === 'HEAD' ? 'GET' : method
    for (const { route, expression, names } of patterns) {
      const match = route.method === wanted ? expression.exec(path) : null
      if (!match) continue
      return { route, params: Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? '')])) }
    }
    return undefined
  }
}

function compile(route: Route): Pattern {
  const names: string[] = []
  const source = route.path.replace(/:(\w+)(?:\{(.+?)\}(?=\/|$))?|\*$/g, (_, name = '*', wanted = undefined) => {
    names.push(name)
    return `(${name === '*' ? '.*' : (wanted ?? '[^/]+')})`
  })
  return { route, names, expression: new RegExp(`^${source}$`) }
}

function decode(text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch (error) {
    throw new Refused(400, { error: 'invalid_request', message: 'The path is not encoded correctly.' }, error)
  }
  // These are places, not names; who tidies an address would take them for such.
  if (decoded === '.' || decoded === '..') {
    throw new Refused(400, { error: 'invalid_request', message: 'The path does not name anything.' })
  }
  return decoded
}
