import type { Language } from '../../alerts/model.js'

/** A text on screen: fixed, with its numbers as arguments, or a group of texts. */
export type Texts = { readonly [key: string]: string | ((...args: never[]) => string) | Texts }

/** The same keys with the same arguments, in another language. */
type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Same<T[K]>
}

/**
 * The texts of one part of the dashboard, in both languages; the compiler checks that each key exists in both.
 * `const text = defineText({ en: { open: 'Open' }, zh: { open: '未处理' } })`, then `text(language).open`.
 */
export function defineText<const T extends Texts>({
  en,
  zh,
}: {
  en: T
  zh: Same<NoInfer<T>>
}): (language: Language) => Same<T> {
  return (language) => (language === 'zh' ? zh : (en as unknown as Same<T>))
}

/** `plural(1, 'device', 'devices')` → "1 device"; English only. */
export const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
