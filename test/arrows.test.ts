import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectRoot } from '../kit/entry.js'

const folders = ['broker', 'ingest', 'alerts', 'dashboard', 'simulators', 'db', 'kit']

/** Pure words and decisions: time is an argument, nothing is read or written. Any folder may use them. */
const pure = [
  /^alerts\/(model|policy|chain|quiet-hours|escalation|lifecycle|page-message|page-text|message-text|message-html|text-fit)\.ts$/,
  /^alerts\/roster(-time)?\.ts$/,
  /^alerts\/coverage(-words)?\.ts$/,
  /^alerts\/numbers\.ts$/,
  /^alerts\/channels\/(channel|kinds|address)\.ts$/,
  /^alerts\/(digest|incidents|quiet-streets|incident-words|holds)\.ts$/,
  /^alerts\/message-retry\.ts$/,
  /^alerts\/asking\.ts$/,
  /^alerts\/rules\//,
  /^alerts\/channels\/signature\.ts$/,
  /^alerts\/replies\/(words|own-text|inbound-mail|answers|reply-help)\.ts$/,
  /^ingest\/(contract|decode|time|topic)\.ts$/,
  /^ingest\/dialects\//,
  /^ingest\/commands\/(model|message)\.ts$/,
  /^ingest\/stand-in\/record\.ts$/,
  /^db\/register\/document\.ts$/,
]
/** Where a role is put together out of the folders. */
const isCompositionRoot = (file: string) => /^[a-z]+\/main\.ts$/.test(file)
const isPure = (file: string) => pure.some((pattern) => pattern.test(file))

/** Which folders each may import, beside itself, kit and what is pure. */
const arrows: Record<string, string[]> = {
  broker: ['ingest', 'db'],
  ingest: ['db'],
  alerts: ['db'],
  dashboard: ['db'],
  simulators: ['db'],
  db: [],
  kit: [],
}

const isTest = (file: string) =>
  /\.(test|db\.test|loop\.test|native\.test)\.tsx?$|test-|testkit|testbed|test-data/.test(file)
const sources = folders
  .flatMap((folder) => readdirSync(join(projectRoot, folder), { recursive: true }).map((file) => `${folder}/${file}`))
  .filter((file) => /\.tsx?$/.test(file) && !isTest(file))
const textOf = (file: string) => readFileSync(join(projectRoot, file), 'utf8')

const imports = sources.flatMap((file) =>
  [...textOf(file).matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm)].map(([, target]) => ({
    file,
    target: target!.startsWith('.')
      ? relative(projectRoot, normalize(join(projectRoot, dirname(file), target!))).replace(/\.js$/, '.ts')
      : target!,
  })),
)
const folderOf = (file: string) => file.split('/')[0]!
const asSource = (target: string) => (sources.includes(target) ? target : `${target}x`)

describe('the arrows between folders go one way', () => {
  test('there is something to look at', () => {
    expect(sources.length).toBeGreaterThan(80)
    expect(imports.filter(({ target }) => folders.includes(folderOf(target))).length).toBeGreaterThan(200)
  })
  test.each(folders)('%s', (folder) => {
    const wrong = imports.filter(({ file, target }) => {
      const to = folderOf(target)
      if (folderOf(file) !== folder || !folders.includes(to) || to === folder || to === 'kit') return false
      if (isCompositionRoot(file)) return false
      return !arrows[folder]!.includes(to) && !isPure(asSource(target))
    })
    expect(wrong).toEqual([])
  })
  test('what is pure imports what is pure, types and zod, nothing else', () => {
    // A digest of what it is given, and nothing else of node:crypto.
    const known = (file: string, target: string) =>
      target === 'zod' ||
      (/^(ingest\/dialects\/native-id|alerts\/channels\/signature)\.ts$/.test(file) && target === 'node:crypto')
    const wrong = imports.filter(
      ({ file, target }) => isPure(file) && !known(file, target) && !isPure(asSource(target)),
    )
    expect(wrong).toEqual([])
  })
  test('no file waits for itself: what a cycle of imports needs at once may not be there yet, depending on who comes first', () => {
    const values = sources.map((file): [string, string[]] => [
      file,
      [...textOf(file).matchAll(/^(?:import|export)\s(?!type\s)([^'"]*?)\sfrom\s['"](\.[^'"]+)['"]/gm)]
        .filter(([, names]) => !/^\{[^}]*\}$/.test(names!) || /[{,]\s*(?!type\s)\w/.test(names!))
        .map(([, , target]) => relative(projectRoot, normalize(join(projectRoot, dirname(file), target!))))
        .map((target) => asSource(target.replace(/\.js$/, '.ts'))),
    ])
    const importsOf = new Map(values)
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (path.includes(file) || done.has(file)) return
      for (const target of importsOf.get(file) ?? []) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of sources) visit(file, [])
    expect(cycles).toEqual([])
  })
  test('nothing pure reads a clock or throws dice', () => {
    const wrong = sources
      .filter(isPure)
      .filter((file) => /Date\.now\(|new Date\(\)|Math\.random\(|performance\.now/.test(textOf(file)))
    expect(wrong).toEqual([])
  })
  test('the embedded database is known to its own folder and to what connects', () => {
    const users = imports
      .filter(({ target }) => /db\/embedded\/|@electric-sql\/pglite/.test(target))
      .map(({ file }) => file)
    expect(users.filter((file) => !/^db\/(embedded\/|connect\.ts)/.test(file))).toEqual([])
  })
  test('SQL stands in db/', () => {
    const wrong = sources.filter(
      (file) =>
        folderOf(file) !== 'db' &&
        /\.query(<[^`'"]*(['"][^'"]*['"][^`'"(]*)*>)?\(\s*[`'"(]\s*(select|insert|update|delete|with)\b/i.test(
          textOf(file),
        ),
    )
    expect(wrong).toEqual([])
  })
})
