import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { curveOf } from './curve.js'
import { evaluate } from './evaluate.js'
import { rowsOf, tableOf } from './report.js'

const usage = 'usage: npm run evaluate -- DIR [--json] [--collapses N] [--svg FILE]'

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      collapses: { type: 'string', default: '40' },
      svg: { type: 'string' },
    },
  })
  const [folder, ...rest] = positionals
  const collapsesEach = Number(values.collapses)
  if (!folder || rest.length > 0 || !Number.isInteger(collapsesEach) || collapsesEach < 1) throw new Error(usage)
  const results = await evaluate(folder, { collapsesEach, onHome: (home) => process.stderr.write(`${home}\n`) })
  const rows = rowsOf(results)
  process.stdout.write(values.json ? `${JSON.stringify({ collapsesEach, rows }, null, 1)}\n` : `${tableOf(rows)}\n`)
  if (values.svg) writeFileSync(values.svg, curveOf(results))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
