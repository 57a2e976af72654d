import type { DeviceKind } from '../../alerts/model.js'
import type { Binding } from '../../db/claims.js'
import type { DeviceTest } from '../../db/device-tests.js'
import { isAlarmKind } from '../../ingest/contract.js'
import { devicePath, gatewayPath, kindWord, personOf } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { claimText } from '../shell/text-claim.js'
import { clockWords, When } from '../shell/times.js'
import type { StaffViewer } from '../shell/viewer.js'
import type { ShownState } from './devices-claim-test.js'
import { registerWords } from './said-words.js'

/** Somebody stands in the home with a thumb on the button. */
const refreshMs = 1_500

const tones = { none: 'plain', running: 'busy', passed: 'quiet', failed: 'busy' } as const

/** What to do now, in the first line; and when it has come, that. The page changes by itself. */
export function TestPage(p: {
  here: Here
  viewer: StaffViewer
  binding: Binding
  test: DeviceTest | undefined
  state: ShownState
  online: boolean
}) {
  const { here, viewer, binding, test, state } = p
  const { gatewayId, deviceId } = binding
  const kind = binding.kind as DeviceKind
  const t = claimText(here.language)
  const word = kindWord(kind, here)
  const title = {
    none: t.notBegunTitle(word),
    running: t.instruction[kind],
    passed: t.passedTitle(word),
    failed: t.failedTitle,
  }[state]
  const path = devicePath(gatewayId, deviceId, 'test')
  const time = (at: Date) => <When at={at} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
  return (
    <Page here={here} title={title} current="gateways" {...(state === 'running' ? { refreshMs } : {})}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <div class="narrow">
        <div class={`answer answer-${tones[state]} test-${state}`}>
          <h1>{title}</h1>
          <p>
            {word} · {binding.room} · {personOf(viewer, binding)}
          </p>
          {state === 'passed' && test && <Passed test={test} kind={kind} here={here} />}
          {state === 'running' && <p class="waiting">{t.waiting}</p>}
        </div>
        {!p.online && state !== 'passed' && <p class="message caution">{t.gatewayAway}</p>}
        {state === 'none' && <p>{t.notBegun}</p>}
        {state === 'running' && test && <Running test={test} kind={kind} here={here} />}
        {state === 'failed' && test && (
          <>
            <p>{t.failedLead}</p>
            <p>{t.failedHelp}</p>
            <p class="sub">
              {t.begun}
              {time(test.begunAt)}
              {t.by(test.begunBy)}
              {here.language === 'zh' ? '。' : '. '}
              {t.endedHint}
            </p>
          </>
        )}
        <div class="stack">
          {state === 'passed' && (
            <a class="button primary" href={`${gatewayPath(gatewayId)}#unclaimed`}>
              {t.next}
            </a>
          )}
          {state !== 'running' && (
            <form method="post" action={path}>
              <button class={state === 'passed' ? 'wide' : 'primary wide'} type="submit">
                {state === 'none' ? t.begin : t.again}
              </button>
            </form>
          )}
          {state === 'running' && (
            <form method="post" action={`${path}/end`}>
              <button class="wide" type="submit">
                {t.end}
              </button>
              {isAlarmKind(kind) && <p class="sub">{t.endHelp}</p>}
            </form>
          )}
          <a class="button quiet" href={gatewayPath(gatewayId)}>
            {t.toGateway}
          </a>
        </div>
      </div>
    </Page>
  )
}

function Running({ test, kind, here }: { test: DeviceTest; kind: DeviceKind; here: Here }) {
  const t = claimText(here.language)
  const { language, now, timeZoneDefault } = here
  const until = clockWords(test.endsAtLatest.getTime(), now.getTime(), timeZoneDefault, language)
  return (
    <>
      {isAlarmKind(kind) ? <p>{t.firstIsTest(until)}</p> : <p>{t.meterGoesOn(until)}</p>}
      {test.registerBefore !== null && !isAlarmKind(kind) && (
        <p>{t.stood(registerWords(kind, test.registerBefore, language))}</p>
      )}
      <p class="sub">
        {t.begun}
        <When at={test.begunAt} now={now} timeZone={timeZoneDefault} language={language} />
        {t.by(test.begunBy)}
      </p>
    </>
  )
}

function Passed({ test, kind, here }: { test: DeviceTest; kind: DeviceKind; here: Here }) {
  const t = claimText(here.language)
  const came: Record<string, string> = t.came
  const { language, now, timeZoneDefault } = here
  return (
    <>
      <p>
        {t.passed}
        <strong>{came[test.cameEvent] ?? test.cameEvent}</strong>
        {test.cameValue !== null && test.cameEvent === '' && ` (${registerWords(kind, test.cameValue, language)})`}
        {' · '}
        {test.passedAt && <When at={test.passedAt} now={now} timeZone={timeZoneDefault} language={language} />}
        {t.by(test.begunBy)}
      </p>
      {isAlarmKind(kind) && <p>{kind === 'button' || kind === 'voice' ? t.nowReal : t.soonReal}</p>}
    </>
  )
}
