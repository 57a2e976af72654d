import type { FastifyReply, FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Language } from '../../alerts/model.js'
import type { Database } from '../../db/pool.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import type { Signal } from '../../kit/signal.js'
import type { Changes } from './changes.js'
import type { ChannelSetup } from './channel-setup.js'
import type { BrokerAddress } from './gateway-settings.js'
import type { StaffViewer } from './viewer.js'

/** What every page needs to know of the request that it answers: `request.here`. */
export type Here = {
  language: Language
  /** Path and query of this request, always local: where the language switch comes back to. */
  path: string
  /** Where the assets of this build are: `/assets/{version}`. */
  assets: string
  now: Date
  /** The staff member who is logged in. */
  viewer: StaffViewer | null
  /** The page is being refreshed by the browser's own timer, not looked at anew. */
  refresh: boolean
  timeZoneDefault: string
}

/** What a routes file gets: `residentRoutes(app, deps)`. */
export type RouteDeps = {
  db: Database
  clock: Clock
  log: Log
  signal: Signal
  changes: Changes
  publicUrl: string
  timeZoneDefault: string
  channels: ChannelSetup
  /** Where gateways reach the broker. */
  mqtt: BrokerAddress
}

declare module 'fastify' {
  interface FastifyRequest {
    here: Here
  }
}

/** Sends a page; its content is escaped by the renderer. Pages are personal: nothing on the way may keep them. */
export function sendPage(reply: FastifyReply, page: VNode, status = 200): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(`<!doctype html>${renderToString(page)}`)
}

/** After a POST: the browser gets the page anew. `path` must be local. */
export function seeOther(reply: FastifyReply, path: string): FastifyReply {
  return reply.code(303).header('cache-control', 'no-store').redirect(path, 303)
}

/** A path on this site, or `fallback` for anything that a browser could take elsewhere. */
export function localPath(wanted: unknown, fallback = '/'): string {
  if (typeof wanted !== 'string' || wanted.length > 500) return fallback
  // Browsers drop tabs and newlines and read a backslash as a slash.
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(wanted)) return fallback
  return wanted
}

/** True for a form that this site's own page sent, as far as the browser tells. */
export function isOwnForm(request: FastifyRequest, publicHost: string): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = request.headers
  if (origin === undefined) return true
  if (!URL.canParse(origin)) return false
  const { host, protocol } = new URL(origin)
  // A URL leaves out the default port, a Host header may carry it.
  const ownHost = URL.canParse(`${protocol}//${request.host}`) ? new URL(`${protocol}//${request.host}`).host : ''
  return host === ownHost || host === publicHost
}
