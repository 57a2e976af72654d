import type { ReadingRow } from './readings.js'

/** One row of `arrivals`: what the rules are handed of one resident, `body` being JSON. */
export type ArrivalRow = { residentId: string; receivedAt: number; entries: number; body: string }

type Group = { residentId: string; rows: ReadingRow[]; inOrder: boolean; receivedAt: number }

/**
 * The readings as the rules get them, a row for each resident, in the order in which they came; undefined where a row
 * does not say whose it is.
 */
export function arrivalsOf(rows: ReadingRow[]): ArrivalRow[] | undefined {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const { residentId } = row
    if (residentId === undefined || row.kind === undefined) return undefined
    const group = groups.get(residentId)
    if (!group) groups.set(residentId, { residentId, rows: [row], inOrder: true, receivedAt: row.receivedAt })
    else {
      if (group.inOrder && order(group.rows[group.rows.length - 1]!, row) > 0) group.inOrder = false
      if (row.receivedAt > group.receivedAt) group.receivedAt = row.receivedAt
      group.rows.push(row)
    }
  }
  const arrivals: ArrivalRow[] = []
  for (const { residentId, rows: own, inOrder, receivedAt } of groups.values()) {
    if (!inOrder) own.sort(order)
    let body = ''
    for (const row of own) body += body === '' ? `[${entryOf(row)}` : `,${entryOf(row)}`
    arrivals.push({ residentId, receivedAt, entries: own.length, body: `${body}]` })
  }
  return arrivals
}

/** As the slow way of the statement has it: by arrival, then by what the devices say. */
const order = (a: ReadingRow, b: ReadingRow) =>
  a.receivedAt - b.receivedAt ||
  a.observedAt - b.observedAt ||
  a.deviceNo - b.deviceNo ||
  (a.event < b.event ? -1 : a.event > b.event ? 1 : 0)

/**
 * A ReadingArrival of alerts/model as JSON text, by hand: nothing in it needs quoting (`kind` and `event` are words of
 * the contract), and JSON.stringify of an object made for it takes twice as long.
 */
function entryOf(row: ReadingRow): string {
  const { deviceNo, kind, event, observedAt, receivedAt, value, rate, battery, tamper, fault } = row
  let json = `{"type":"reading","deviceNo":${deviceNo},"kind":"${kind}","event":"${event}","observedAt":${observedAt},"receivedAt":${receivedAt}`
  if (isThere(value)) json += `,"value":${value}`
  if (isThere(rate)) json += `,"rate":${rate}`
  if (isThere(battery)) json += `,"battery":${battery}`
  if (isThere(tamper)) json += `,"tamper":${tamper}`
  if (isThere(fault)) json += `,"fault":${fault}`
  if (row.clockWrong) json += ',"clockWrong":true'
  return `${json}}`
}

const isThere = (value: unknown) => value !== undefined && value !== null
