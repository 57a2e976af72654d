import type { ChannelTest } from '../../db/staff-channels.js'
import type { Here } from '../shell/here.js'
import { meText } from '../shell/text-me.js'
import { When } from '../shell/times.js'

/** A test that nobody has answered yet is looked at often, for so long. */
const watchedMs = 3 * 60_000

export type TestOutcome = 'waiting' | 'trying' | 'sent' | 'delivered' | 'refused' | 'failed' | 'confirmed'

export function testOutcome({ status, result, confirmedAt }: ChannelTest): TestOutcome {
  if (confirmedAt) return 'confirmed'
  if (status === 'pending') return result === null ? 'waiting' : 'trying'
  if (status === 'failed') return result === 'refused' ? 'refused' : 'failed'
  return result === 'delivered' ? 'delivered' : 'sent'
}

/** Whether somebody is probably watching the page to see a test arrive. */
export const isWatched = (tests: readonly (ChannelTest | null)[], now: Date): boolean =>
  tests.some((test) => test && !test.confirmedAt && now.getTime() - test.at.getTime() < watchedMs)

/** What became of the last test, with the provider's own words where it did not get through, unless they were `said` before. */
export function ChannelTestLine(p: { here: Here; test: ChannelTest | null; timeZone: string; said: string | null }) {
  const { here, test, timeZone, said } = p
  if (!test) return null
  const { language, now } = here
  const t = meText(language)
  const outcome = testOutcome(test)
  const wentWrong = outcome === 'refused' || outcome === 'failed' || outcome === 'trying'
  return (
    <p class={`test test-${outcome}`} role="status">
      {t.testAt}
      <When at={test.at} now={now} timeZone={timeZone} language={language} />
      {language === 'zh' ? '，' : ': '}
      <strong>{t.testState[outcome]}</strong>
      {wentWrong && test.detail && test.detail !== said && <span class="sub said">{t.said(test.detail)}</span>}
    </p>
  )
}
