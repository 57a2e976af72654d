import type { FalseAlarms, KindNumbers } from '../../alerts/numbers.js'
import { numbersText, ruleName } from '../shell/text-numbers.js'
import { type MonthContext, shareWords } from './numbers-words.js'

/** The share of alerts that were nothing, by rule: a table with a bar in each row. Where nothing is known it is hatched. */
export function FalseByRule({
  byKind,
  all,
  before,
  context,
}: {
  byKind: readonly KindNumbers[]
  all: FalseAlarms
  before: ReadonlyMap<string, FalseAlarms>
  context: MonthContext & { monthBefore: string }
}) {
  const { language, monthBefore } = context
  const t = numbersText(language)
  const rows = [...byKind.map(({ kind, falseAlarms }) => ({ kind, falseAlarms })), { kind: null, falseAlarms: all }]
  return (
    <figure class="chart numbers-chart">
      <table class="spread false-alarms">
        <caption class="visually-hidden">{t.falseAlarms}</caption>
        <thead>
          <tr>
            <th scope="col">{t.rule}</th>
            <td class="spread-bar" />
            <th scope="col">{t.falseShare}</th>
            <th scope="col">{t.apartColumn}</th>
            <th scope="col">{monthBefore}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ kind, falseAlarms }) => {
            const earlier = before.get(kind ?? '')
            return (
              <tr key={kind ?? ''} class={kind === null ? 'sum' : undefined}>
                <th scope="row">{kind === null ? t.total : ruleName(kind, language)}</th>
                <td class="spread-bar">
                  <Part of={falseAlarms} />
                </td>
                <td data-label={t.falseShare}>{shareWords(falseAlarms.share, language)}</td>
                <td data-label={t.apartColumn}>{apartWords(falseAlarms, language)}</td>
                <td data-label={monthBefore}>{earlier ? shareWords(earlier.share, language) : t.noData}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </figure>
  )
}

function Part({ of: { share } }: { of: FalseAlarms }) {
  if (share.of === 0)
    return <svg class="not-known" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" />
  return (
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" width="100" height="10" />
      <rect class="part" width={Math.round((share.part / share.of) * 1_000) / 10} height="10" />
    </svg>
  )
}

/** "4 settled by asking, 2 tests, 1 other, 3 open", of those that there are. */
function apartWords({ settled, tests, others, open }: FalseAlarms, language: MonthContext['language']): string {
  const t = numbersText(language)
  const parts = [
    ...(settled > 0 ? [t.apart.settled(settled)] : []),
    ...(tests > 0 ? [t.apart.tests(tests)] : []),
    ...(others > 0 ? [t.apart.others(others)] : []),
    ...(open > 0 ? [t.apart.open(open)] : []),
  ]
  return parts.join(language === 'zh' ? '，' : ', ') || t.noData
}
