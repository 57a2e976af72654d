import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { outcomes, severityOf } from '../alerts/model.js'
import { projectRoot } from '../kit/entry.js'
import { settingNames } from '../kit/settings.js'

const read = (file: string) => readFileSync(join(projectRoot, file), 'utf8')
const readmes = ['README.md', 'README.zh-CN.md'].map((file) => ({ file, text: read(file) }))

const sourcesOf = (...folders: string[]) =>
  folders
    .flatMap((folder) => readdirSync(join(projectRoot, folder), { recursive: true }).map((file) => `${folder}/${file}`))
    .filter((file) => /\.tsx?$/.test(file) && !/test|d\.ts$/.test(file))
    .map(read)
    .join('\n')
const found = (pattern: RegExp, text: string) => [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))]

/** What stands between the quotes of ``| `A`, `B` | …`` in the first column. */
const firstColumn = (text: string) => found(/`([^`]+)`/g, [...text.matchAll(/^\|([^|]*)\|/gm)].map(([, c]) => c).join())

/** Values of other decisions of these folders, which look the same. */
const otherValues = ['nobody to tell', 'no answer', 'not connected', 'not subscribed', 'not begun', 'no meter']

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '')

describe.each(readmes)('$file', ({ text }) => {
  const named = firstColumn(text)

  test('lists every setting, and no other', () => {
    expect(settingNames.length).toBeGreaterThan(15)
    const settings = text.slice(text.search(/^## (Settings|配置项)$/m), text.search(/^## (Run it for real|正式运行)$/m))
    expect(firstColumn(settings).sort()).toEqual([...settingNames].sort())
  })

  test('lists every metric', () => {
    const metrics = found(/name: '(shouwang_[a-z_]+)'/g, sourcesOf('broker', 'ingest', 'alerts', 'dashboard', 'kit'))
    expect(metrics.length).toBeGreaterThan(10)
    expect(named).toEqual(expect.arrayContaining(metrics))
  })

  test('lists every reason of quarantine', () => {
    const reasons = found(
      /(?:reason: |toQuarantine\(message, |kind: )'([a-z]+ [a-zA-Z -]+|not UTF-8|malformed JSON)'/g,
      sourcesOf('ingest', 'alerts/rules'),
    ).filter((reason) => !otherValues.includes(reason))
    expect(reasons.length).toBeGreaterThan(10)
    expect(named).toEqual(expect.arrayContaining(reasons))
  })

  test('lists every kind of alert and every outcome', () => {
    expect(named).toEqual(expect.arrayContaining(Object.keys(severityOf)))
    for (const outcome of outcomes) expect(text).toContain(`\`${outcome}\``)
  })

  test('links to what exists', () => {
    const links = found(/\]\(([^)#\s]+)\)/g, withoutCode(text)).filter((link) => !/^https?:/.test(link))
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((link) => !existsSync(join(projectRoot, link)))).toEqual([])
    const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
    const anchors = found(/\]\(#([^)\s]+)\)/g, text)
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toEqual([])
  })

  test('names commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const commands = found(/npm run ([a-z:]+)/g, text)
    expect(commands.length).toBeGreaterThan(5)
    expect(commands.filter((command) => !(command in scripts))).toEqual([])
  })
})

test('both tell the same: as many headings, table rows, examples and links', () => {
  const [english, chinese] = readmes.map(({ text }) => ({
    headings: withoutCode(text).match(/^#+ /gm)!.length,
    rows: text.match(/^\|/gm)!.length,
    examples: text.match(/^```[a-z]+$/gm)!.length,
    links: withoutCode(text).match(/\]\([^)]+\)/g)!.length,
    pictures: text.match(/!\[/g)!.length,
  }))
  expect(chinese).toEqual(english)
})

test('pictures are small', () => {
  const folder = join(projectRoot, 'dashboard/pictures')
  const large = readdirSync(folder).filter((file) => statSync(join(folder, file)).size > 200 * 1_024)
  expect(large).toEqual([])
})

/** How the pages that show a README name a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
