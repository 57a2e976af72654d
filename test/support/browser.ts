import chromium from '@sparticuz/chromium'
import { type Browser, chromium as driver } from 'playwright-core'

/**
 * A real browser without a window. Its fonts, Chinese included, come from the machine; CHROMIUM_PATH names another
 * Chromium than the one in the package. The caller closes it.
 */
export async function openBrowser(): Promise<Browser> {
  const own = process.env.CHROMIUM_PATH
  return driver.launch({
    executablePath: own || (await chromium.executablePath()),
    // The package's own flags suit a function in the cloud: one process, which a test of several pages would crash.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
    headless: true,
  })
}
