import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** A person at a browser: their page, and what the browser complained of meanwhile. */
export type Visitor = { page: Page; complaints: string[]; leave(): Promise<void> }

/** Longer than any page takes on a machine that does much else. */
const waitMsMax = 15_000

/** Opens a browser of a person's own, and notes scripts that fail, errors on the console and answers of 4xx and 5xx. */
export async function openVisitor(browser: Browser, options: BrowserContextOptions): Promise<Visitor> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(waitMsMax)
  const complaints: string[] = []
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('response', (answer) => answer.status() >= 400 && complaints.push(`${answer.status()} ${answer.url()}`))
  })
  return { page: await context.newPage(), complaints, leave: () => context.close() }
}

/** Presses Tab until what is called `name` has the focus. @throws after `tabsMax` */
export async function tabTo(page: Page, name: string, tabsMax = 120): Promise<void> {
  for (let tabs = 0; tabs < tabsMax; tabs += 1) {
    await page.keyboard.press('Tab')
    // Of a field its label, of all else its own words.
    const focused = await page.evaluate(`(() => {
      const element = document.activeElement
      if (element === document.body) return []
      const words = element.getAttribute('aria-label') ?? element.labels?.[0]?.innerText ?? element.innerText ?? ''
      return words.split('\\n').map((line) => line.trim()).filter(Boolean)
    })()`)
    if ((focused as string[]).includes(name)) return
  }
  throw new Error(`"${name}" does not get the focus in ${tabsMax} steps of Tab`)
}

/** Runs in the page: its shape, what is cut off, text below 16 px, and with `thumb` what is pressed and below 44 px. */
const shapeOf = `((thumb) => {
  const wrong = []
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const shown = (element) => element.getClientRects().length > 0 && !element.closest('.visually-hidden, .sr-only, .skip')
  const short = (element) => element.outerHTML.replace(/\\s+/g, ' ').slice(0, 120)
  if (all('h1').length !== 1 || all('h1')[0].textContent.trim() === '') wrong.push('one h1 is wanted, there are ' + all('h1').length)
  if (all('main').length !== 1) wrong.push('one main is wanted')
  if (!document.documentElement.lang) wrong.push('no language')
  if (document.title.trim() === '') wrong.push('no title')
  let level = 0
  for (const heading of all('main :is(h1, h2, h3, h4)').filter(shown)) {
    const own = Number(heading.tagName[1])
    if (own > level + 1) wrong.push('a level of headings is left out: ' + short(heading))
    level = own
  }
  const ids = all('[id]').map(({ id }) => id)
  for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) wrong.push('twice: #' + id)
  for (const attribute of ['aria-labelledby', 'aria-describedby'])
    for (const element of all('[' + attribute + ']'))
      for (const id of element.getAttribute(attribute).split(/\\s+/))
        if (!document.getElementById(id)) wrong.push(attribute + ' names nothing: ' + short(element))
  for (const image of all('img:not([alt])')) wrong.push('no alt: ' + short(image))
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
  if (wide > 0) wrong.push('wider than the screen by ' + wide + ' px')
  for (const element of all('body *').filter(shown))
    if (!(element instanceof SVGElement) && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
      && parseFloat(getComputedStyle(element).fontSize) < 16) wrong.push('below 16 px: ' + short(element))
  if (thumb)
    for (const element of all(':is(main, header) :is(button, select, summary, .button, .choice, nav a, textarea, input:not([type=radio], [type=checkbox], [type=hidden]))').filter(shown))
      if (element.getBoundingClientRect().height < 43.5) wrong.push('too low for a thumb: ' + short(element))
  return wrong
})`

const pressedRoles = ['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'radio', 'spinbutton', 'table']
const fieldRoles = ['Date', 'DateTime', 'InputTime', 'img', 'region', 'navigation', 'form']

/**
 * What is wrong with the page as it stands, for an eye, a thumb (`thumb`: 44 px targets) and a screen reader: everything
 * that can be pressed or filled in has a name in the browser's own accessibility tree.
 */
export async function basicsWrong(page: Page, { thumb = false } = {}): Promise<string[]> {
  const wrong = (await page.evaluate(`${shapeOf}(${thumb})`)) as string[]
  const session = await page.context().newCDPSession(page)
  const { nodes } = await session.send('Accessibility.getFullAXTree')
  await session.detach()
  const nameless = nodes
    .filter(({ ignored, role }) => !ignored && [...pressedRoles, ...fieldRoles].includes(String(role?.value)))
    .filter(({ name }) => String(name?.value ?? '').trim() === '')
    .map(({ role }) => `without a name: ${role?.value}`)
  return [...wrong, ...nameless]
}
