import type { Sent } from './gateway-load.js'
import { residentOfButton } from './rig.js'
import type { ReceivedPage, WebhookReceiver } from './webhook-receiver.js'

/** What the social worker who is told first was sent of each resident, oldest first. */
export function pagesByResident({ requests }: WebhookReceiver): Map<string, ReceivedPage[]> {
  const pages = new Map<string, ReceivedPage[]>()
  for (const request of requests.filter(({ path }) => path.endsWith('/worker'))) {
    const { id } = request.json!.resident as { id: string }
    pages.set(id, [...(pages.get(id) ?? []), request])
  }
  return pages
}

/** The residents of whom that worker was told by more than one page. */
export const toldTwice = (receiver: WebhookReceiver): string[] =>
  [...pagesByResident(receiver)]
    .filter(([, pages]) => new Set(pages.map(({ headers }) => headers['idempotency-key'])).size > 1)
    .map(([residentId]) => residentId)

/** How long after each press its first page arrived, in ms, shortest first; Infinity where there is none. */
export function pageDelays(receiver: WebhookReceiver, presses: Sent[]): number[] {
  const pages = pagesByResident(receiver)
  return presses
    .map(({ deviceId, ts }) => (pages.get(residentOfButton(deviceId))?.[0]?.arrivedMs ?? Number.POSITIVE_INFINITY) - ts)
    .sort((a, b) => a - b)
}

export const pressesOf = (sent: Sent[]): Sent[] => sent.filter(({ value }) => value === null)
