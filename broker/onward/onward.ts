import type { Language } from '../../alerts/model.js'
import { listOnwardResidents } from '../../db/onward.js'
import type { Queryable } from '../../db/pool.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import { homeAssistantMessages, homeAssistantTopics, onwardStatusTopic } from './home-assistant.js'

const lookMs = 2_000
/** Each is two retained messages of about 2 KB in memory. */
const residentsMax = 2_000

/**
 * Tells the operator's Home Assistant what is known of the residents of these communities, and what is wrong: what has
 * changed since the last look, every 2 s.
 */
export function createOnward({
  db,
  communityIds,
  language,
  publish,
  clock,
  log,
}: {
  db: Queryable
  communityIds: string[]
  language: Language
  /** Retained; an empty payload takes the topic away. False: there was no room for it. */
  publish: (topic: string, payload: string) => boolean
  clock: Clock
  log: Log
}) {
  /** What was said last, by topic. */
  const said = new Map<string, string>()
  let residents = new Set<string>()
  let isTold = false
  let loop: Loop | undefined

  function say(topic: string, payload: string) {
    if (said.get(topic) === payload) return
    if (publish(topic, payload)) said.set(topic, payload)
  }

  async function look(): Promise<'idle'> {
    const found = await listOnwardResidents(db, { communityIds, now: clock.now(), residentsMax })
    if (found.length === residentsMax && !isTold) {
      isTold = true
      log.warn({ residentsMax }, 'onward.full: further residents are not shared')
    }
    say(onwardStatusTopic, 'online')
    for (const resident of found)
      for (const { topic, payload } of homeAssistantMessages(resident, language)) say(topic, payload)
    const present = new Set(found.map(({ residentId }) => residentId))
    for (const residentId of residents)
      if (!present.has(residentId))
        for (const topic of homeAssistantTopics(residentId)) {
          said.delete(topic)
          publish(topic, '')
        }
    residents = present
    return 'idle'
  }

  return {
    start: () => {
      loop = startLoop({ name: 'onward', work: look, pauseMs: lookMs, log })
    },
    stop: async () => loop?.stop(),
  }
}
