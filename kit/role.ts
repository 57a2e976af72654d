import type { Registry } from 'prom-client'
import { runProcess, StartError, type Teardown } from './lifecycle.js'
import { createLog, type Log } from './log.js'
import { createMetrics } from './metrics.js'
import { readSettings, type Settings } from './settings.js'
import { createSignal, type Signal } from './signal.js'

export type RoleTools = { settings: Settings; log: Log; metrics: Registry; signal: Signal; teardown: Teardown }

/** Runs one role as this process: reads the settings, starts it, stops it on a signal. */
export async function runRole({
  role,
  start,
  quiet = false,
}: {
  role: string
  start: (tools: RoleTools) => Promise<void>
  /** For a terminal: only warnings are logged unless LOG_LEVEL says otherwise. */
  quiet?: boolean
}): Promise<void> {
  const settings = settingsOrExit()
  const log = createLog({ role, level: settings.LOG_LEVEL ?? (quiet ? 'warn' : 'info') })
  const metrics = createMetrics({ role })
  await runProcess({ log, start: (teardown) => start({ settings, log, metrics, signal: createSignal(), teardown }) })
}

/** Reads the settings, or ends the process with the one line that names the wrong one. */
export function settingsOrExit(): Settings {
  try {
    return readSettings()
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    console.error(`shouwang: ${error.message}`)
    process.exit(1)
  }
}
