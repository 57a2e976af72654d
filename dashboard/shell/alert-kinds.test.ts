import { expect, test } from 'vitest'
import { type AlertKind, type Language, severityOf } from '../../alerts/model.js'
import { familyText } from './text-family.js'
import { ruleName } from './text-numbers.js'

const paged = (Object.keys(severityOf) as AlertKind[]).filter((kind) => severityOf[kind] !== 'notice')

test.each(['zh', 'en'] as Language[])(
  '%s: every kind that is paged has words for the family, and for the figures',
  (language) => {
    const forFamily: Record<string, string> = familyText(language).alert
    for (const kind of paged) {
      expect(forFamily[kind], kind).toMatch(/[。.]$/)
      expect(ruleName(kind, language), kind).not.toBe(kind)
    }
    expect(new Set(paged.map((kind) => ruleName(kind, language))).size).toBe(paged.length)
  },
)
