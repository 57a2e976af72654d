import type { TestState } from '../../db/device-tests.js'
import type { Here } from './here.js'
import { claimText } from './text-claim.js'
import { residentText } from './text-resident.js'
import { When } from './times.js'
import { careRoles, type Role, type StaffViewer } from './viewer.js'

/** Everybody who may be sent to a home may bind what hangs there: a volunteer does it on the phone of whom she is with. */
export const claimRoles: readonly Role[] = ['social_worker', 'supervisor', 'operator']
/** Who may let a gateway in, and lock it out. */
export const registrarRoles: readonly Role[] = ['supervisor', 'operator']

/** An operator has no business with names, and tells residents by their id. */
export const seesNames = ({ role }: StaffViewer): boolean => careRoles.includes(role)
export const personOf = (viewer: StaffViewer, p: { residentId: string; residentName: string }): string =>
  seesNames(viewer) ? p.residentName : p.residentId

export const gatewayPath = (gatewayId: string) => `/gateways/${encodeURIComponent(gatewayId)}`
export const devicePath = (gatewayId: string, deviceId: string, what: 'claim' | 'test' | 'move' | 'unbind') =>
  `${gatewayPath(gatewayId)}/devices/${encodeURIComponent(deviceId)}/${what}`

/** What a device is called in one line: its own name, or else its model or kind. */
export const calledOf = (device: { name: string; nativeId?: string; deviceId: string }): string =>
  visible(device.name || device.nativeId || device.deviceId)

/** Names come from gateways: direction marks and control characters must not make one pose as another. */
export const visible = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu, '�')

export const kindWord = (kind: string, here: Here): string => {
  const words: Record<string, string> = residentText(here.language).kind
  return Object.hasOwn(words, kind) ? words[kind]! : kind
}

/** Whether a device has passed its test; nothing for one that was registered without. */
export function TestMark({ state, here, timeZone }: { state: TestState | undefined; here: Here; timeZone: string }) {
  const t = claimText(here.language)
  if (!state || state.kind === 'none') return null
  if (state.kind === 'passed' && state.test?.passedAt)
    return (
      <span class="tested">
        {t.testedAt}
        <When at={state.test.passedAt} now={here.now} timeZone={timeZone} language={here.language} />
        {t.by(state.test.begunBy)}
      </span>
    )
  return <span class="untested">{state.kind === 'running' ? t.running : t.untested}</span>
}
