import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type createProcesses, freePort, type Running } from '../support/processes.js'

/** Our edge as operators run it, on free ports, its journal in a temporary folder; `env` comes on top. */
export async function startEdgeProcess(
  processes: ReturnType<typeof createProcesses>,
  { url, env = {} }: { url: string; env?: Record<string, string> },
): Promise<{ port: number; running: Running }> {
  const port = await freePort()
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-bench-'))
  const running = processes.start('broker/main', {
    env: {
      DATABASE_URL: url,
      DATA_DIR: dataDir,
      MQTT_PORT: String(port),
      MQTT_WS_PORT: String(await freePort()),
      EDGE_HTTP_PORT: String(await freePort()),
      LOG_LEVEL: 'info',
      ...env,
      // As in package.json.
      NODE_OPTIONS: `--max-semi-space-size=32 ${env.NODE_OPTIONS ?? ''}`,
    },
  })
  void running.ended.then(() => rm(dataDir, { recursive: true, force: true }))
  await running.printed('edge.listening')
  return { port, running }
}
