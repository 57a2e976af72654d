import { audienceOf, type Channel, type Page, retryPauseMs, type SendResult } from '../../alerts/channels/channel.js'
import type { Log } from '../../kit/log.js'
import type { Directory, PersonCard, ResidentCard } from '../directory.js'
import type { StandInAlert, StandInPage } from './record.js'

const sendMsMax = 12_000

type Attempt = { alert: StandInAlert; page: StandInPage; url: string; signal: AbortSignal }

/** Sends one page of the stand-in, to the address that the directory knows. Answers with a value, whatever goes wrong. */
export function createSend({
  directory,
  channels,
  log,
}: {
  directory: Pick<Directory, 'residentOf' | 'personOf'>
  channels: Channel[]
  log: Log
}) {
  const byKind = new Map(channels.map((channel) => [channel.kind, channel]))

  return async ({ alert, page, url, signal }: Attempt): Promise<SendResult> => {
    const channel = byKind.get(page.channel)
    const person = directory.personOf(page.staffId)
    const resident = directory.residentOf(alert.residentId)
    const to = person?.channels.find(({ position, kind }) => position === page.position && kind === page.channel)
    if (!channel) return { kind: 'refused', reason: `channel ${page.channel} is not set up on this server` }
    if (!person || !to || !resident) return { kind: 'refused', reason: 'the person no longer has this channel' }
    const attempt = page.attempts.length + 1
    try {
      return await channel.send(
        toPage({ alert, page, person, resident, url }),
        { address: to.address, secret: to.secret, name: person.name },
        { attempt, signal: AbortSignal.any([signal, AbortSignal.timeout(sendMsMax)]) },
      )
    } catch (error) {
      // A channel answers with values; what it throws is a bug of ours, and the page must still arrive.
      log.error({ err: error, pageId: page.pageId, channel: page.channel }, 'channel.threw')
      const afterMs = retryPauseMs(attempt, 'emergency')
      return { kind: 'retry', afterMs, detail: `internal error: ${(error as Error).message}` }
    }
  }
}

function toPage(p: {
  alert: StandInAlert
  page: StandInPage
  person: PersonCard
  resident: ResidentCard
  url: string
}): Page {
  const { alert, page, person, resident, url } = p
  return {
    pageId: page.pageId,
    // Where no id was at hand, the page's own: it must name something.
    alertId: alert.alertId === null ? page.pageId : String(alert.alertId),
    severity: 'emergency',
    kind: alert.kind,
    resident: { id: resident.residentId, name: resident.name, address: resident.address },
    headline: alert.headline,
    openedAt: new Date(alert.openedAt),
    observedAt: new Date(alert.observedAt),
    step: page.step,
    round: 0,
    url,
    audience: audienceOf(person),
    doorCode: resident.doorCode,
    keyHolder: resident.keyHolder,
    healthNote: resident.healthNote,
    phone: resident.phone,
    timeZone: resident.timeZone,
    language: person.language,
  }
}
