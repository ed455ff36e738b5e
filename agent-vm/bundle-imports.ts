/**
 * What the bundled server leaves unloaded. `import … from 'node:http'` reads every export of the module, and some of them load
 * half of Node (its own fetch, HTTP/2, Web Crypto); the schema library brings its messages in fifty languages. Together that
 * was a third of the server's memory and of its start.
 */
import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import type { Plugin } from 'esbuild'

export const leanImports: Plugin = {
  name: 'lean-imports',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?[a-z][\w/]*$/ }, ({ path }) =>
      isBuiltin(path) ? { path: path.replace(/^(?:node:)?/, 'node:'), namespace: 'builtin' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
    // Through the one name `z` a bundler cannot see what of the library is used, and takes all of it.
    onLoad({ filter: /[\\/]agent-vm[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace("import { z } from 'zod'", "import * as z from 'zod'"),
      loader: 'ts',
    }))
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js'",
      resolveDir: dirname(path),
    }))
  },
}
