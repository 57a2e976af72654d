import type { Language } from '../../alerts/model.js'
import { payloadBytesShown, type QuarantineRow } from '../../db/quarantine-views.js'
import type { Here } from '../shell/here.js'
import { operatorText } from '../shell/text-operator.js'
import { When } from '../shell/times.js'
import { payloadExcerpt } from './payload.js'

/** The reason in words; a code that has none yet is shown as it is. */
export function reasonWords(reason: string, language: Language): string {
  const words: Record<string, string> = operatorText(language).reasons
  return Object.hasOwn(words, reason) ? words[reason]! : reason
}

export function QuarantineFilter({
  gateway,
  reason,
  reasons,
  here,
}: {
  gateway: string
  reason: string
  reasons: readonly { reason: string; count: number }[]
  here: Here
}) {
  const t = operatorText(here.language)
  const listed = reasons.some((known) => known.reason === reason) || reason === '' ? reasons : [{ reason }, ...reasons]
  return (
    <form method="get" action="/quarantine" class="search">
      <label>
        {t.gateway}
        <input type="search" name="gateway" value={gateway} maxLength={64} placeholder={t.anyGateway} />
      </label>
      <label>
        {t.reason}
        <select name="reason">
          <option value="">{t.anyReason}</option>
          {listed.map((known) => (
            <option key={known.reason} value={known.reason} selected={known.reason === reason}>
              {reasonWords(known.reason, here.language)}
              {'count' in known && ` (${known.count})`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">{t.filter}</button>
      {(gateway !== '' || reason !== '') && <a href="/quarantine">{t.clear}</a>}
    </form>
  )
}

export function QuarantineList({ rows, here }: { rows: readonly QuarantineRow[]; here: Here }) {
  const { language } = here
  const t = operatorText(language)
  const count = new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en')
  return (
    <ol class="lines quarantine">
      {rows.map((row) => (
        <li class="line" key={row.quarantineId}>
          <p>
            <strong>{reasonWords(row.reason, language)}</strong> <code>{row.reason}</code>
            {row.detail && <span class="detail">{row.detail}</span>}
          </p>
          <p>
            <When at={row.receivedAt} now={here.now} timeZone={here.timeZoneDefault} language={language} />
            {' · '}
            {row.gatewayId === null ? (
              t.unknownGateway
            ) : (
              <a href={`/gateways/${encodeURIComponent(row.gatewayId)}`}>{row.gatewayId}</a>
            )}
            {' · '}
            {t.bytes(count.format(row.payloadBytes))}
          </p>
          {row.kept && <p class="kept">{t.kept}</p>}
          <p class="topic">
            {t.topic} <code>{row.topic}</code>
          </p>
          <Payload row={row} here={here} />
        </li>
      ))}
    </ol>
  )
}

function Payload({ row, here }: { row: QuarantineRow; here: Here }) {
  const t = operatorText(here.language)
  if (!row.payload || row.payload.length === 0)
    return (
      <p>
        {t.payload} {t.payloadEmpty}
      </p>
    )
  const cut = row.payloadBytes > payloadBytesShown
  const { as, text } = payloadExcerpt(row.payload, { cut })
  const notes = [...(as === 'hex' ? [t.payloadHex] : []), ...(cut ? [t.payloadCut(payloadBytesShown)] : [])]
  return (
    <details>
      <summary>
        {t.payload}
        {notes.length > 0 && ` (${notes.join(', ')})`}
      </summary>
      <pre>{text}</pre>
    </details>
  )
}
