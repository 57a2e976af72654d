import { channelWords, isChannelKind } from '../../alerts/channels/address.js'
import type { Language } from '../../alerts/model.js'
import type { StaffChannel } from '../../db/staff-channels.js'
import type { Here } from '../shell/here.js'
import { hasFailed } from '../shell/reach.js'
import { shownAddress } from '../shell/shown-address.js'
import { meText } from '../shell/text-me.js'
import { When } from '../shell/times.js'
import { ChannelTestLine } from './channel-test-line.js'

/** What was wrong with a form, and what stood in it. */
export type ChannelProblem =
  | { form: 'add'; kind: string; address: string; text: string }
  | { form: 'test' | 'secret'; channelId: string; text: string }
  | { form: 'quiet'; from: string; until: string; text: string }

export type Part = {
  here: Here
  /** Of the page and of its forms: '/me', or '/people/{staffId}'. */
  base: string
  timeZone: string
  problem: ChannelProblem | undefined
}

export const channelName = (kind: string, language: Language): string =>
  isChannelKind(kind) ? channelWords[kind].name[language] : kind

export const Problem = ({ text }: { text: string }) => (
  <p class="message problem" role="alert">
    {text}
  </p>
)

/** Each channel with how it stands, its test, and what can be done with it. */
export function ChannelList(p: Part & { channels: readonly StaffChannel[]; usable: readonly string[]; own: boolean }) {
  const { here, channels } = p
  const t = meText(here.language)
  return (
    <section aria-labelledby="channels">
      <h2 id="channels">{t.channels}</h2>
      <p>{channels.length === 0 ? t.noChannels : t.channelsLead}</p>
      <ol class="channels">
        {channels.map((channel, place) => (
          <ChannelCard key={channel.channelId} {...p} channel={channel} place={place} />
        ))}
      </ol>
    </section>
  )
}

function ChannelCard(p: Parameters<typeof ChannelList>[0] & { channel: StaffChannel; place: number }) {
  const { here, base, channel, channels, place, usable, own, problem, timeZone } = p
  const { language, now } = here
  const { channelId, kind } = channel
  const t = meText(language)
  const name = channelName(kind, language)
  const action = (act: string) => `${base}/channels/${channelId}/${act}`
  const when = (at: Date) => <When at={at} now={now} timeZone={timeZone} language={language} />
  const isUsable = usable.includes(kind)
  const works = isUsable && channel.brokenAt === null && !hasFailed(channel)
  const mine = problem && 'channelId' in problem && problem.channelId === channelId ? problem : undefined
  return (
    <li id={`channel-${channelId}`} class={works ? 'channel' : 'channel channel-broken'}>
      <h3>
        {place + 1}. {name} <span class="sub">{shownAddress(kind, channel.address)}</span>
      </h3>
      {!isUsable && <p>{t.unusable}</p>}
      {channel.brokenAt && (
        <p>
          <strong>
            {t.brokenSince}
            {when(channel.brokenAt)}
          </strong>
          {language === 'zh' ? '。' : '. '}
          {t.brokenMore}
          <Said detail={channel.brokenReason} language={language} />
        </p>
      )}
      {!channel.brokenAt && hasFailed(channel) && (
        <p>
          <strong>
            {t.failedAt}
            {when(channel.lastFailedAt!)}
          </strong>
          <Said detail={channel.lastFailure} language={language} />
        </p>
      )}
      {!channel.lastSentAt && works && !channel.test && <p>{t.neverSent}</p>}
      {channel.lastSentAt && (
        <p>
          {t.lastSent}
          {when(channel.lastSentAt)}
        </p>
      )}
      {channel.confirmedAt ? (
        <p>
          {t.confirmed}
          {when(channel.confirmedAt)}
        </p>
      ) : (
        works && <p>{t.neverConfirmed}</p>
      )}
      <ChannelTestLine
        here={here}
        test={channel.test}
        timeZone={timeZone}
        said={channel.brokenReason ?? channel.lastFailure}
      />
      {mine && <Problem text={mine.text} />}
      <div class="channel-acts">
        {isUsable && (
          <form method="post" action={action('test')}>
            <button class="primary" type="submit" aria-label={labelOf(language, own ? t.test : t.testFor, name)}>
              {own ? t.test : t.testFor}
            </button>
          </form>
        )}
        {place > 0 && (
          <form method="post" action={action('up')}>
            <button type="submit" aria-label={labelOf(language, t.up, name)}>
              {t.up}
            </button>
          </form>
        )}
        {place < channels.length - 1 && (
          <form method="post" action={action('down')}>
            <button type="submit" aria-label={labelOf(language, t.down, name)}>
              {t.down}
            </button>
          </form>
        )}
      </div>
      <details id={`more-${channelId}`} open={mine?.form === 'secret'}>
        <summary>{t.more}</summary>
        {isChannelKind(kind) && channelWords[kind].secret && kind !== 'web_push' && (
          <form method="post" action={action('secret')} class="stack">
            <label>
              {t.newSecret} <span class="sub">{channelWords[kind].secret[language]}</span>
              <span class="sub">{t.replaceHint}</span>
              <input
                id={`secret-${channelId}`}
                name="secret"
                type="password"
                autocomplete="off"
                maxLength={1_000}
                required={channelWords[kind].secretRequired}
              />
            </label>
            <button type="submit">{t.replace}</button>
          </form>
        )}
        <form method="post" action={action('remove')} class="stack">
          {channels.length === 1 && <p>{t.removeLast}</p>}
          <button type="submit" aria-label={labelOf(language, t.remove, name)}>
            {t.remove}
          </button>
        </form>
      </details>
    </li>
  )
}

function Said({ detail, language }: { detail: string | null; language: Language }) {
  if (!detail) return null
  return <span class="sub said">{meText(language).said(detail)}</span>
}

/** "Remove: E-mail": which of several a button is about. */
const labelOf = (language: Language, what: string, name: string) => `${what}${language === 'zh' ? '：' : ': '}${name}`
