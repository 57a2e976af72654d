// Runs before `npm start`, `npm test` and `npm run build`, when node_modules may not exist yet:
// Node's own modules only. Installs exactly the lock file, and only when it is newer than what is there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}node_modules/.shouwang-lock`
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex')
if (!(existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted)) {
  console.log('Installing packages (once, about half a minute) ...')
  const { status } = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error('npm install failed: see the lines above.')
    process.exit(status ?? 1)
  }
  writeFileSync(stamp, wanted)
}
