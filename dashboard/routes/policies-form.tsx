import { channelKinds } from '../../alerts/channels/address.js'
import {
  conditions,
  type PagedSeverity,
  type Policy,
  type PolicyStep,
  policyStepsMax,
  type Target,
  targetRoles,
} from '../../alerts/policy.js'
import type { NamedPerson } from '../../db/policies.js'
import type { Here } from '../shell/here.js'
import { policyText } from '../shell/text-policies.js'
import { kindText } from './policies-words.js'

const stages = ['acknowledged', 'en_route', 'arrived'] as const

type Fields = Record<string, string | string[] | undefined>
const one = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).trim()
const many = (value: string | string[] | undefined): string[] => [value ?? []].flat()
/** Minutes as written, with a point or a comma, in whole seconds; NaN for what is no number. */
const secondsOf = (text: string): number =>
  text === '' ? Number.NaN : Math.round(Number(text.replace(',', '.').replace('，', '.')) * 60)
const minutesText = (seconds: number): string => (Number.isFinite(seconds) ? String(seconds / 60) : '')

/**
 * What a form says, checked no further: `checkPolicy` does that. Steps that are to be removed, and a new one without
 * anybody, are left out.
 */
export function readPolicyForm(body: Fields): Policy {
  const steps: PolicyStep[] = []
  for (let i = 0; i <= policyStepsMax; i++) {
    const field = (name: string) => body[`${name}-${i}`]
    const named = one(field('person'))
    const to: Target[] = [
      ...targetRoles.filter((role) => many(field('to')).includes(role)),
      ...(named === '' ? [] : [{ staffId: named }]),
    ]
    const isNew = one(field('new')) === 'yes'
    if (field('after') === undefined || one(field('remove')) === 'yes' || (isNew && to.length === 0)) continue
    const through = one(field('through'))
    steps.push({
      afterSeconds: secondsOf(one(field('after'))),
      to,
      channels: through === 'all' || through === 'first' ? through : [through],
      family: one(field('family')) === 'yes',
      condition: conditions.find((condition) => condition === one(field('condition'))) ?? 'not acknowledged',
    })
  }
  const stageOf = (name: string) => {
    const text = one(body[`stage-${name}`])
    return text === '' ? null : secondsOf(text)
  }
  const rounds = one(body.rounds)
  return {
    steps,
    repeatAfterSeconds: secondsOf(one(body.repeat)),
    roundsMax: rounds === '' ? null : Number(rounds),
    stageSecondsMax: {
      acknowledged: stageOf('acknowledged'),
      en_route: stageOf('en_route'),
      arrived: stageOf('arrived'),
    },
  }
}

/** The form of one policy; works without browser code: one empty step stands at its end. */
export function PolicyForm(p: {
  here: Here
  communityId: string
  severity: PagedSeverity
  policy: Policy
  people: readonly NamedPerson[]
  isDefault: boolean
  problem?: string | undefined
}) {
  const { here, communityId, severity, policy, people, isDefault, problem } = p
  const t = policyText(here.language)
  const back = `/policies?${new URLSearchParams({ community: communityId })}`
  const fresh: PolicyStep = {
    afterSeconds: Number.NaN,
    to: [],
    channels: 'all',
    family: false,
    condition: 'not acknowledged',
  }
  const steps = policy.steps.length < policyStepsMax ? [...policy.steps, fresh] : policy.steps
  return (
    <form method="post" action="/policies" class="narrow policy-form">
      <h1>{t.editTitle(t.severity[severity])}</h1>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <input type="hidden" name="community" value={communityId} />
      <input type="hidden" name="severity" value={severity} />
      {steps.map((step, i) => (
        <StepFields key={String(i)} {...p} step={step} index={i} isNew={step === fresh} />
      ))}
      <fieldset>
        <legend>{t.repeat}</legend>
        <input
          type="text"
          inputmode="decimal"
          name="repeat"
          aria-label={t.repeat}
          value={minutesText(policy.repeatAfterSeconds)}
          required
        />
        {severity !== 'emergency' && (
          <label>
            {t.rounds}
            <input type="text" inputmode="numeric" name="rounds" value={policy.roundsMax ?? ''} />
          </label>
        )}
      </fieldset>
      <fieldset>
        <legend>{t.stageTimes}</legend>
        {stages.map((stage) => (
          <label key={stage}>
            {t.stageLabel[stage]}
            {severity !== 'emergency' && <span class="sub"> ({t.stageNone})</span>}
            <input
              type="text"
              inputmode="decimal"
              name={`stage-${stage}`}
              value={policy.stageSecondsMax[stage] === null ? '' : minutesText(policy.stageSecondsMax[stage])}
            />
          </label>
        ))}
      </fieldset>
      <p class="actions">
        <button type="submit" class="primary" name="action" value="save">
          {t.save}
        </button>
        <a class="button" href={back}>
          {t.cancel}
        </a>
        {!isDefault && (
          <button type="submit" name="action" value="reset" formnovalidate>
            {t.reset}
          </button>
        )}
      </p>
    </form>
  )

  function StepFields({ step, index, isNew }: { step: PolicyStep; index: number; isNew: boolean }) {
    const named = step.to.find((target) => typeof target !== 'string')
    const namedId = named && typeof named !== 'string' ? named.staffId : ''
    const through = typeof step.channels === 'string' ? step.channels : (step.channels[0] ?? 'all')
    return (
      <fieldset>
        <legend>{isNew ? t.newStep : t.step(index + 1)}</legend>
        {isNew && <input type="hidden" name={`new-${index}`} value="yes" />}
        {isNew && <p class="sub">{t.newStepHelp}</p>}
        <label>
          {t.afterMinutes}
          <input
            type="text"
            inputmode="decimal"
            name={`after-${index}`}
            value={minutesText(step.afterSeconds)}
            required={!isNew}
          />
        </label>
        <fieldset class="choices">
          <legend>{t.who}</legend>
          {targetRoles.map((role) => (
            <label key={role} class="choice">
              <input type="checkbox" name={`to-${index}`} value={role} checked={step.to.includes(role)} />
              {t.to[role]}
            </label>
          ))}
        </fieldset>
        <label>
          {t.person}
          <select name={`person-${index}`}>
            <option value="">{t.nobody}</option>
            {people.map(({ staffId, name }) => (
              <option key={staffId} value={staffId} selected={staffId === namedId}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t.through}
          <select name={`through-${index}`}>
            {(['all', 'first'] as const).map((how) => (
              <option key={how} value={how} selected={through === how}>
                {t.channels[how]}
              </option>
            ))}
            {channelKinds.map((kind) => (
              <option key={kind} value={kind} selected={through === kind}>
                {t.onlyBy(kindText(kind, here.language))}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t.condition}
          <select name={`condition-${index}`}>
            {conditions.map((condition) => (
              <option key={condition} value={condition} selected={step.condition === condition}>
                {t.conditions[condition]}
              </option>
            ))}
          </select>
        </label>
        <label class="choice">
          <input type="checkbox" name={`family-${index}`} value="yes" checked={step.family} />
          {t.family}
        </label>
        {!isNew && index > 0 && (
          <label class="choice">
            <input type="checkbox" name={`remove-${index}`} value="yes" />
            {t.remove}
          </label>
        )}
      </fieldset>
    )
  }
}
