import type { CommunityName } from '../../db/gateway-registration.js'
import { dialectNames } from '../../ingest/dialects/dialect.js'
import { gatewayPath, kindWord, visible } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { gatewayText } from '../shell/text-gateways.js'
import type { Tried } from './gateway-mapping.js'
import { reasonWords } from './operator-quarantine.js'

export type GatewayFormValues = {
  dialect: string
  community: string
  id: string
  label: string
  via: 'own' | 'attached'
  topics: string
  mapping: string
  tryTopic: string
  tryMessage: string
}

const exampleTopics: Record<string, string> = {
  zigbee2mqtt: 'zigbee2mqtt',
  wmbusmeters: 'wmbusmeters',
  tasmota: 'tele',
  shelly: 'shellies',
  chirpstack: 'application',
  thingsboard: 'v1/gateway',
  aliyun: '/sys/a1ExampleKey/device1',
  generic: 'meters/block3',
}

/** What a gateway may speak, each with a line for who has only seen the box. */
export function DialectChoice({ here }: { here: Here }) {
  const t = gatewayText(here.language)
  return (
    <div class="narrow">
      <h1>{t.which}</h1>
      <p>{t.whichLead}</p>
      <ul class="lines dialects">
        {([...dialectNames, 'v1'] as const).map((dialect) => (
          <li key={dialect} class="line">
            <a href={`/gateways/new?${new URLSearchParams({ dialect })}`}>
              <strong>{t.dialect[dialect]}</strong>
              <span class="sub">{t.about[dialect]}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}

export function GatewayForm(p: {
  here: Here
  values: GatewayFormValues
  communities: readonly CommunityName[]
  mayAttach: boolean
  hasFixedTopics: boolean
  problem?: string | undefined
  taken?: string | undefined
  tried?: Tried | undefined
}) {
  const { here, values, communities, mayAttach } = p
  const t = gatewayText(here.language)
  const dialect = values.dialect as keyof typeof t.dialect
  return (
    <div class="narrow">
      <h1>{t.addTitle}</h1>
      <p>
        {t.speaks} <strong>{t.dialect[dialect]}</strong> · <a href="/gateways/new">{t.otherDialect}</a>
        <span class="sub">{t.about[dialect]}</span>
      </p>
      {p.problem && (
        <p class="message problem" role="alert">
          {p.problem} {p.taken && <a href={`${gatewayPath(p.taken)}#secret`}>{p.taken}</a>}
        </p>
      )}
      <form method="post" action="/gateways" class="stack">
        <input type="hidden" name="dialect" value={values.dialect} />
        {communities.length === 1 ? (
          <input type="hidden" name="community" value={communities[0]!.communityId} />
        ) : (
          <label>
            {t.community}
            <select name="community" required>
              {communities.map(({ communityId, name }) => (
                <option key={communityId} value={communityId} selected={communityId === values.community}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {t.label}
          <input name="label" value={values.label} maxLength={100} />
          <span class="sub">{t.labelHelp}</span>
        </label>
        <label>
          {t.id}
          <input name="id" value={values.id} required maxLength={64} autocapitalize="none" spellcheck={false} />
          <span class="sub">{t.idHelp}</span>
        </label>
        {mayAttach && (
          <fieldset>
            <legend>{t.via}</legend>
            <div class="choices people">
              {(['own', 'attached'] as const).map((via) => (
                <label key={via} class="choice">
                  <input type="radio" name="via" value={via} checked={values.via === via} />
                  <span>
                    {t[via]}
                    <span class="sub">{t[`${via}Help`]}</span>
                  </span>
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {values.dialect !== 'v1' && (
          <label>
            {t.baseTopics}
            <textarea
              name="topics"
              rows={p.hasFixedTopics ? 2 : 1}
              value={values.topics}
              placeholder={exampleTopics[values.dialect]}
              spellcheck={false}
            />
            <span class="sub">{p.hasFixedTopics ? t.baseTopicsFixed : t.baseTopicsHelp}</span>
            {mayAttach && <span class="sub">{t.baseTopicsAttached}</span>}
          </label>
        )}
        {values.dialect === 'generic' && <Mapping values={values} tried={p.tried} here={here} />}
        <button class="primary wide" type="submit" name="action" value="save">
          {t.save}
        </button>
      </form>
    </div>
  )
}

function Mapping({ values, tried, here }: { values: GatewayFormValues; tried: Tried | undefined; here: Here }) {
  const t = gatewayText(here.language)
  return (
    <>
      <label>
        {t.mapping}
        <textarea name="mapping" rows={12} required value={values.mapping} class="code" spellcheck={false} />
        <span class="sub">{t.mappingHelp}</span>
      </label>
      <fieldset class="try">
        <legend>{t.tryTitle}</legend>
        <p class="sub">{t.tryLead}</p>
        <label>
          {t.tryTopic}
          <input name="tryTopic" value={values.tryTopic} maxLength={500} spellcheck={false} />
        </label>
        <label>
          {t.tryMessage}
          <textarea name="tryMessage" rows={4} value={values.tryMessage} class="code" spellcheck={false} />
        </label>
        <button type="submit" name="action" value="try" formNoValidate>
          {t.tryIt}
        </button>
        {tried && <TriedOut tried={tried} here={here} />}
      </fieldset>
    </>
  )
}

function TriedOut({ tried, here }: { tried: Tried; here: Here }) {
  const t = gatewayText(here.language)
  if ('problems' in tried)
    return (
      <div class="message problem" role="alert">
        <p>{t.mappingWrong}</p>
        <ul>
          {tried.problems.map(({ at, message }) => (
            <li key={`${at} ${message}`}>
              <code>{at}</code> {message}
            </li>
          ))}
        </ul>
      </div>
    )
  return (
    <div class="message" role="status">
      {tried.readings.length > 0 ? <p>{t.tryReadings}</p> : <p>{t.tryNothing}</p>}
      <ul>
        {tried.readings.map(({ nativeId, kind, fields }, place) => (
          <li key={String(place)}>
            <strong>{kindWord(kind, here)}</strong> {visible(nativeId)} <code>{JSON.stringify(fields)}</code>
          </li>
        ))}
      </ul>
      {tried.rejections.length > 0 && (
        <>
          <p>{t.tryProblem}</p>
          <ul>
            {tried.rejections.map(({ reason, detail }, place) => (
              <li key={String(place)}>
                {reasonWords(reason, here.language)}: {detail}
              </li>
            ))}
          </ul>
        </>
      )}
      {tried.passed.length > 0 && (
        <ul>
          {tried.passed.map(({ name, is }, place) => (
            <li key={String(place)}>
              {visible(name)}: {t.rule[is]}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
