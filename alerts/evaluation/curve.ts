import { budgets, fixedHours, type HomeResult } from './evaluate.js'
import { fixedSummary, type Summary, summarize } from './summary.js'

const width = 720
const height = 420
const left = 64
const bottom = 48
const rateMin = 0.1
const rateMax = 40
const hoursMax = 30

const x = (rate: number) =>
  left + (Math.log(Math.max(rate, rateMin) / rateMin) / Math.log(rateMax / rateMin)) * (width - left - 24)
const y = (hours: number) => height - bottom - (Math.min(hours, hoursMax) / hoursMax) * (height - bottom - 48)

/** The trade-off as SVG, one picture a group below the other: false alarms a resident-month against the day's median delay. */
export function curveOf(results: HomeResult[]): string {
  const groups = [...new Set(results.map(({ group }) => group))]
  const parts = groups.map((group, index) => {
    const homes = results.filter((result) => result.group === group)
    const fixed = (measure: 'litres' | 'activity') => fixedHours.map((hours) => fixedSummary(homes, measure, hours))
    const learned = budgets.map((budget) => summarize(homes.map((home) => home.learned.get(budget)!)))
    return `<g transform="translate(0 ${index * height})">
<text x="${left}" y="24" font-weight="bold">${escaped(group)}: median delay by day (h) against false alarms a resident-month</text>
${axes()}
${line(fixed('litres'), '#888', 'fixed, 10 L', 0)}
${line(fixed('activity'), '#b45309', 'fixed, any use', 1)}
${line(learned, '#1d4ed8', 'learned', 2)}
</g>`
  })
  const size = `viewBox="0 0 ${width} ${groups.length * height}" width="${width}" height="${groups.length * height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function axes(): string {
  const rates = [0.1, 0.2, 0.5, 1, 2, 4, 10, 20, 40].map(
    (rate) =>
      `<line x1="${x(rate)}" x2="${x(rate)}" y1="${y(hoursMax)}" y2="${y(0)}" stroke="#eee"/><text x="${x(rate)}" y="${height - 28}" text-anchor="middle">${rate}</text>`,
  )
  const hours = [0, 6, 12, 18, 24, 30].map(
    (value) =>
      `<line x1="${left}" x2="${width - 24}" y1="${y(value)}" y2="${y(value)}" stroke="#eee"/><text x="${left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  )
  return [...rates, ...hours].join('')
}

function line(points: Summary[], colour: string, name: string, row: number): string {
  const shown = points.filter(({ rate }) => rate >= rateMin && rate <= rateMax)
  const path = shown.map(({ rate, day }) => `${x(rate).toFixed(1)},${y(day.median).toFixed(1)}`).join(' ')
  const dots = shown.map(
    ({ rate, day }) => `<circle cx="${x(rate).toFixed(1)}" cy="${y(day.median).toFixed(1)}" r="2.5" fill="${colour}"/>`,
  )
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}<text x="${width - 140}" y="${64 + row * 18}" fill="${colour}">${name}</text>`
}
