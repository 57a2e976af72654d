import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json, found from where this file runs: the sources (tests) or `dist`. */
export const projectRoot = findRoot()

/** The compiled file that a child process of ours is started with: `compiledEntry('alerts/main')`. */
export const compiledEntry = (name: string) => `${projectRoot}dist/${name}.js`

function findRoot() {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder)
  return fileURLToPath(folder)
}
