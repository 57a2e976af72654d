import type { ComponentChildren } from 'preact'
import type { Here } from './here.js'
import { shellText } from './shell-text.js'
import { careRoles, homePath } from './viewer.js'

export type Section = 'console' | 'roster' | 'gateways' | 'devices' | 'quarantine' | 'numbers' | 'people' | 'watch'

/**
 * The frame of every page: `<Page here={request.here} title="…">…</Page>`. The content goes into `<main>`, which begins
 * with its one `<h1>` and is what the browser keeps fresh.
 * - `current`: the section that the navigation marks
 * - `kind`: 'family' for the large type; 'plain' for a page of one question (login, acknowledge, error)
 * - `live`: false for a page that must not refresh by itself; staff pages listen to `/events`, others look every 30 s
 * - `refreshMs`: for a page beside which somebody stands and waits; without browser code it reloads itself as often
 * - `language` overrides the viewer's where the page has its own (a family member's)
 */
export function Page({
  here,
  title,
  current,
  kind = 'staff',
  live = true,
  refreshMs,
  children,
}: {
  here: Here
  title: string
  current?: Section
  kind?: 'staff' | 'family' | 'plain'
  live?: boolean
  refreshMs?: number | undefined
  children: ComponentChildren
}) {
  const t = shellText(here.language)
  return (
    <html lang={here.language === 'zh' ? 'zh-CN' : 'en'}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light" />
        <meta name="robots" content="noindex, nofollow" />
        <title>{`${title} · ${t.product}`}</title>
        <link rel="icon" href={`${here.assets}/icon.svg`} type="image/svg+xml" />
        <link rel="apple-touch-icon" href={`${here.assets}/icon-192.png`} />
        {kind === 'staff' && here.viewer && <link rel="manifest" href="/manifest.webmanifest" />}
        <link rel="stylesheet" href={`${here.assets}/style.css`} />
        {live && <script type="module" src={`${here.assets}/live.js`} />}
        {live && refreshMs !== undefined && (
          <noscript>
            <meta http-equiv="refresh" content={String(Math.ceil(refreshMs / 1_000))} />
          </noscript>
        )}
      </head>
      <body
        class={`page-${kind}`}
        data-offline-since={t.offlineSince}
        data-events={live && kind === 'staff' && here.viewer ? '/events' : undefined}
      >
        <a class="skip" href="#main">
          {t.skip}
        </a>
        <Header here={here} current={current} kind={kind} />
        <p id="offline" class="offline" role="status" />
        <p id="announce" class="sr-only" role="status" />
        <main
          id="main"
          tabIndex={-1}
          data-now={here.now.toISOString()}
          data-zone={here.timeZoneDefault}
          data-refresh={refreshMs}
        >
          {children}
        </main>
      </body>
    </html>
  )
}

function Header({ here, current, kind }: { here: Here; current: Section | undefined; kind: string }) {
  const t = shellText(here.language)
  const { viewer } = here
  const staff = kind === 'staff' ? viewer : null
  const sections: Section[] = !staff
    ? []
    : careRoles.includes(staff.role)
      ? ['console', 'roster', 'people', 'gateways', ...(staff.role === 'supervisor' ? (['numbers'] as const) : [])]
      : ['gateways', 'watch', 'devices', 'quarantine', 'numbers']
  return (
    <header class="top">
      {staff ? (
        <a class="brand" href={homePath(staff.role)}>
          <Mark />
          <span class="brand-word">{t.product}</span>
        </a>
      ) : (
        <span class="brand">
          <Mark />
          {t.product}
        </span>
      )}
      {sections.length > 0 && (
        <nav aria-label={t.mainNavigation}>
          {sections.map((section) => (
            <a
              key={section}
              href={section === 'console' ? '/' : `/${section}`}
              aria-current={section === current ? 'page' : undefined}
            >
              {t[section]}
            </a>
          ))}
        </nav>
      )}
      <div class="top-end">
        {staff && (
          <a class="me" href="/me">
            <Bell />
            <span class="sr-only">{t.myChannels}</span>
            <span class="who">{staff.name}</span>
          </a>
        )}
        <form method="post" action="/language">
          <input type="hidden" name="language" value={here.language === 'zh' ? 'en' : 'zh'} />
          <input type="hidden" name="back" value={here.path} />
          <button
            class="quiet"
            type="submit"
            aria-label={t.otherLanguageLabel}
            lang={here.language === 'zh' ? 'en' : 'zh-CN'}
          >
            {t.otherLanguage}
          </button>
        </form>
        {staff && (
          <form method="post" action="/logout">
            <button class="quiet" type="submit">
              {t.logOut}
            </button>
          </form>
        )}
      </div>
    </header>
  )
}

function Bell() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
      <path
        d="M6 10a6 6 0 0 1 12 0v5l2 3H4l2-3zM10 20.5a2 2 0 0 0 4 0"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linejoin="round"
      />
    </svg>
  )
}

/** The sign: a house with a light in it. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
      <path d="M3 11 12 3l9 8v10H3z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" />
      <circle cx="12" cy="14" r="3" fill="currentColor" />
    </svg>
  )
}
