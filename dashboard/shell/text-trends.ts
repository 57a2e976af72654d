import { defineText, plural } from './text.js'

/** What changes over weeks in how a resident lives. */
export const trendsText = defineText({
  en: {
    title: 'The last weeks',
    changed: (count: number) => (count === 1 ? 'Something has changed:' : `${count} things have changed:`),
    found: ' Found ',
    same: 'No change found in the last weeks.',
    young: 'It is too early to say whether anything changes.',
    nightsYoung: (known: number, needed: number) =>
      `Nights: ${known} of ${needed} known. After that each further night is compared with them.`,
    weeksYoung: (known: number) =>
      `Days: ${plural(known, 'week', 'weeks')} known. About 20 are needed before the last 4 are compared with what went before.`,
    chart: 'Hours of the day with use, week by week',
    hours: (hours: string) => `${hours} h a day`,
    unknown: 'unknown',
    summary: (from: string, to: string, low: string, high: string) =>
      `${from} to ${to}: between ${low} and ${high} hours a day.`,
    span: (from: string, to: string) => `${from} – ${to}`,
    table: 'As a table',
    week: 'Week',
    use: 'Hours a day',
  },
  zh: {
    title: '近几周的变化',
    changed: (count) => (count === 1 ? '有一项变化：' : `有 ${count} 项变化：`),
    found: '发现于 ',
    same: '近几周没有发现变化。',
    young: '数据还不够，暂时看不出有没有变化。',
    nightsYoung: (known, needed) => `夜间：已了解 ${known} 夜，满 ${needed} 夜后开始逐夜比较。`,
    weeksYoung: (known) => `日常：已了解 ${known} 周，大约满 20 周后，开始拿最近 4 周与以前比较。`,
    chart: '每天用水用电的小时数（按周）',
    hours: (hours) => `每天 ${hours} 小时`,
    unknown: '不明',
    summary: (from, to, low, high) => `${from}至${to}：每天 ${low} 到 ${high} 小时。`,
    span: (from, to) => `${from}至${to}`,
    table: '以表格查看',
    week: '周',
    use: '每天小时数',
  },
})
