import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { curveOf } from './curve.js'
import { evaluate } from './evaluate.js'
import { rowsOf, tableOf } from './report.js'
import { evaluateOthers, otherRules, tableOfOthers } from './running-evaluation.js'
import { evaluateTrends, trendRowsOf, trendRules, trendTableOf } from './trends-evaluation.js'

const usage = `usage: npm run evaluate -- DIR [--json] [--collapses N] [--svg FILE, else evaluation.svg]
       npm run evaluate -- DIR --rule ${[...otherRules, ...trendRules].join('|')} [--json] [--collapses N]`

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      collapses: { type: 'string', default: '40' },
      svg: { type: 'string', default: 'evaluation.svg' },
      rule: { type: 'string' },
    },
  })
  const [folder, ...rest] = positionals
  const collapsesEach = Number(values.collapses)
  if (!folder || rest.length > 0 || !Number.isInteger(collapsesEach) || collapsesEach < 1) throw new Error(usage)
  const onHome = (home: string) => process.stderr.write(`${home}\n`)
  const print = (result: object, table: string) =>
    process.stdout.write(values.json ? `${JSON.stringify(result, null, 1)}\n` : `${table}\n`)
  const other = otherRules.find((rule) => rule === values.rule)
  const trend = trendRules.find((rule) => rule === values.rule)
  if (other) {
    const rows = await evaluateOthers(folder, { rule: other, each: collapsesEach, onHome })
    print({ each: collapsesEach, rows }, tableOfOthers(rows))
  } else if (trend) {
    const rows = trendRowsOf(await evaluateTrends(folder, { rule: trend, changesEach: collapsesEach, onHome }))
    print({ changesEach: collapsesEach, rows }, trendTableOf(rows, trend))
  } else if (values.rule === undefined) {
    const results = await evaluate(folder, { collapsesEach, onHome })
    const rows = rowsOf(results)
    print({ collapsesEach, rows }, tableOf(rows))
    writeFileSync(values.svg, curveOf(results))
    process.stderr.write(`the trade-off as a picture: ${values.svg}\n`)
  } else throw new Error(usage)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
