// Compiles the server and the browser code, and puts beside them the files that tsc leaves behind (SQL, CSS).
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
for (const project of ['tsconfig.json', 'dashboard/web/tsconfig.json', 'dashboard/web/worker/tsconfig.json']) {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
// Whatever lies there would be run: also one that has another name now.
rmSync(`${root}dist/db/migrations`, { recursive: true, force: true })
cpSync(`${root}db/migrations`, `${root}dist/db/migrations`, { recursive: true })
cpSync(`${root}dashboard/web`, `${root}dist/dashboard/web`, {
  recursive: true,
  filter: (path) => !/\.(ts|json)$/.test(path),
})
