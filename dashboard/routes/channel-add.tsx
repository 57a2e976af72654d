import { type ChannelKind, channelWords } from '../../alerts/channels/address.js'
import type { Here } from '../shell/here.js'
import { meText } from '../shell/text-me.js'
import { type Part, Problem } from './channel-parts.js'

/** First which, then its form: each kind asks for something else. */
export function AddChannel(p: Part & { kinds: readonly ChannelKind[]; chosen: string | undefined }) {
  const { here, base, kinds, problem } = p
  const { language } = here
  const t = meText(language)
  const wrong = problem?.form === 'add' ? problem : undefined
  const kind = kinds.find((each) => each === (wrong?.kind ?? p.chosen))
  return (
    <section aria-labelledby="add">
      <h2 id="add">{t.add}</h2>
      {!kind && wrong && <Problem text={wrong.text} />}
      {!kind && (
        <>
          <p>{t.addLead}</p>
          <ul class="kinds">
            {kinds.map((each) => (
              <li key={each}>
                <a class="button wide" href={`${base}?add=${each}#add`}>
                  {channelWords[each].name[language]}
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
      {kind && <AddForm here={here} base={base} kind={kind} wrong={wrong} />}
    </section>
  )
}

function AddForm(p: {
  here: Here
  base: string
  kind: ChannelKind
  wrong: { address: string; text: string } | undefined
}) {
  const { here, base, kind, wrong } = p
  const { language } = here
  const t = meText(language)
  const words = channelWords[kind]
  const type = kind === 'email' ? 'email' : kind === 'sms' || kind === 'voice_call' ? 'tel' : 'url'
  return (
    <form method="post" action={`${base}/channels`} class="stack">
      <h3>{words.name[language]}</h3>
      <p>{words.readers[language]}</p>
      {wrong && <Problem text={wrong.text} />}
      <input type="hidden" name="kind" value={kind} />
      <label>
        {words.address[language]}
        <input
          id="new-address"
          name="address"
          type={type}
          required
          maxLength={2_000}
          autocomplete={type === 'url' ? 'off' : type}
          value={wrong?.address}
        />
      </label>
      {words.secret && (
        <label>
          {words.secret[language]} {!words.secretRequired && <span class="sub">{t.optional}</span>}
          <input
            id="new-secret"
            name="secret"
            type="password"
            autocomplete="off"
            maxLength={1_000}
            required={words.secretRequired}
          />
        </label>
      )}
      <button class="primary wide" type="submit">
        {t.addKind(words.name[language])}
      </button>
      <a class="button wide" href={`${base}#add`}>
        {t.cancel}
      </a>
    </form>
  )
}
