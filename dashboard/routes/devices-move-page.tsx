import type { ComponentChildren } from 'preact'
import type { Binding } from '../../db/claims.js'
import { gatewayPath, kindWord, personOf } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { claimText } from '../shell/text-claim.js'
import type { StaffViewer } from '../shell/viewer.js'

/** The frame of what is done to a device that hangs at somebody's: whose it is now, the question, and a way out. */
export function BindingPage(p: {
  here: Here
  path: string
  title: string
  viewer: StaffViewer
  binding: Binding
  problem?: 'resident' | 'room' | 'missing' | 'changed' | undefined
  children: ComponentChildren
}) {
  const { viewer, binding, title } = p
  // The language switch cannot come back to a form's answer.
  const here = p.here.path === '/' ? { ...p.here, path: p.path } : p.here
  const t = claimText(here.language)
  return (
    <Page here={here} title={title} current="gateways" live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <div class="narrow">
        <h1>{title}</h1>
        {p.problem && (
          <p class="message problem" role="alert">
            {t.problem[p.problem]}
          </p>
        )}
        <p>
          {kindWord(binding.kind, here)} · {binding.room}
          <span class="sub">
            {t.now} {personOf(viewer, binding)}
          </span>
        </p>
        {p.children}
        <p>
          <a class="button quiet" href={gatewayPath(binding.gatewayId)}>
            {t.cancel}
          </a>
        </p>
      </div>
    </Page>
  )
}
