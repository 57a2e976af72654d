import type { Finding, StepName, Task } from './coverage.js'
import type { EpochMs, Headline } from './model.js'

/** Finding by finding in both languages, times by the clock of the community. */

const severityWords = {
  emergency: { zh: '紧急', en: 'emergency' },
  urgent: { zh: '急办', en: 'urgent' },
  warning: { zh: '警告', en: 'warning' },
} as const

const taskWords: Record<Task, Headline> = {
  responsible: { zh: '负责社工', en: 'responsible for residents' },
  'on duty': { zh: '排班值守', en: 'on the roster' },
  supervisor: { zh: '主管', en: 'supervisor' },
  neighbour: { zh: '邻里志愿者', en: 'neighbour or volunteer' },
  named: { zh: '升级步骤点名', en: 'named in an escalation step' },
}

const channelWords: Record<string, Headline> = {
  email: { zh: '邮箱', en: 'e-mail address' },
  webhook: { zh: 'Webhook 地址', en: 'webhook' },
  web_push: { zh: '浏览器推送', en: 'push subscription' },
  wecom: { zh: '企业微信群机器人', en: 'WeCom robot' },
  dingtalk: { zh: '钉钉群机器人', en: 'DingTalk robot' },
  feishu: { zh: '飞书群机器人', en: 'Feishu robot' },
  sms: { zh: '短信号码', en: 'text message number' },
  voice_call: { zh: '语音电话号码', en: 'voice call number' },
  ntfy: { zh: 'ntfy 主题', en: 'ntfy topic' },
}
const otherChannel = (kind: string): Headline => ({ zh: kind, en: kind })
const reasonCharsMax = 120

/** "Sat 2 Jan 20:00 – Sun 3 Jan 08:00"; on one day the day is said once. */
export function spanWords({ from, until }: { from: EpochMs; until: EpochMs }, timeZone: string): Headline {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  const dayIn = (locale: string, at: EpochMs) =>
    new Intl.DateTimeFormat(locale, { timeZone, weekday: 'short', day: 'numeric', month: 'short' }).format(at)
  const side = (locale: string, at: EpochMs) => `${dayIn(locale, at)} ${clock.format(at)}`
  const end = (locale: string) =>
    dayIn(locale, from) === dayIn(locale, until) ? clock.format(until) : side(locale, until)
  return {
    zh: `${side('zh-CN', from)} 至 ${end('zh-CN')}`,
    en: `${side('en-GB', from).replace(',', '')} – ${end('en-GB').replace(',', '')}`,
  }
}

/** "step 2 of emergency and urgent; steps 1 and 3 of warning". */
function stepWords(steps: readonly StepName[]): Headline {
  const byStep = new Map<number, StepName['severity'][]>()
  for (const { severity, step } of steps) byStep.set(step, [...(byStep.get(step) ?? []), severity])
  const bySeverities = new Map<string, { severities: StepName['severity'][]; steps: number[] }>()
  for (const [step, severities] of [...byStep].sort(([a], [b]) => a - b)) {
    const group = bySeverities.get(severities.join()) ?? { severities, steps: [] }
    bySeverities.set(severities.join(), { ...group, steps: [...group.steps, step] })
  }
  const groups = [...bySeverities.values()]
  const zh = groups.map(
    (group) =>
      `${group.severities.map((each) => severityWords[each].zh).join('、')}预警第 ${group.steps.join('、')} 步`,
  )
  const en = groups.map(
    (group) =>
      `${group.steps.length === 1 ? 'step' : 'steps'} ${listed(group.steps.map(String))} of ${listed(group.severities.map((each) => severityWords[each].en))}`,
  )
  return { zh: zh.join('；'), en: en.join('; ') }
}

const listed = (words: string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
const residentsWord = (n: number) => (n === 1 ? '1 resident' : `${n} residents`)

/** One line for one finding. `days`: how many days the check looked ahead. */
export function findingWords(finding: Finding, { timeZone, days }: { timeZone: string; days: number }): Headline {
  switch (finding.kind) {
    case 'nobody on duty': {
      const span = spanWords(finding, timeZone)
      const steps = stepWords(finding.steps)
      const { unreachable } = finding
      if (unreachable.length > 0)
        return {
          zh: `${span.zh}：值守人 ${unreachable.join('、')} 没有可用的通知方式（${steps.zh}）`,
          en: `${span.en}: on duty but out of reach: ${unreachable.join(', ')} (${steps.en})`,
        }
      return { zh: `${span.zh}：无人值守（${steps.zh}）`, en: `${span.en}: nobody on duty (${steps.en})` }
    }
    case 'nobody in step': {
      const step = stepWords(finding.steps)
      return {
        zh: `${step.zh}：未来 ${days} 天都没有可通知的人`,
        en: `${capital(step.en)}: nobody in all ${days} days`,
      }
    }
    case 'nobody responsible':
      return {
        zh: `${finding.residents} 位居民没有负责社工`,
        en: `${residentsWord(finding.residents)} with nobody responsible`,
      }
    case 'responsible has left':
      return {
        zh: `${finding.name} 已不在岗，名下还有 ${finding.residents} 位居民`,
        en: `${finding.name} has left, and is still responsible for ${residentsWord(finding.residents)}`,
      }
    case 'named has left': {
      const steps = stepWords(finding.steps)
      return {
        zh: `${finding.name} 已不在岗，仍在${steps.zh}中`,
        en: `${finding.name} has left, and is still named in ${steps.en}`,
      }
    }
    case 'no supervisor':
      return { zh: '社区没有主管', en: 'The community has no supervisor' }
    case 'no channel': {
      const tasks = { zh: finding.tasks.map((t) => taskWords[t].zh), en: finding.tasks.map((t) => taskWords[t].en) }
      const why = {
        none: { zh: '没有设置通知方式', en: 'no channel is set up' },
        unusable: { zh: '设置的通知方式在本服务器上不可用', en: 'this server cannot use any of their channels' },
        refused: { zh: '所有通知方式都已被拒收', en: 'every channel was refused for good' },
      }[finding.why]
      return {
        zh: `${finding.name}（${tasks.zh.join('、')}）联系不上：${why.zh}`,
        en: `${finding.name} (${tasks.en.join(', ')}) is out of reach: ${why.en}`,
      }
    }
    case 'address refused': {
      const channel = channelWords[finding.channel] ?? otherChannel(finding.channel)
      const day = (locale: string) =>
        new Intl.DateTimeFormat(locale, { timeZone, day: 'numeric', month: 'short' }).format(finding.at)
      const reason =
        finding.reason.length > reasonCharsMax ? `${finding.reason.slice(0, reasonCharsMax)}…` : finding.reason
      return {
        zh: `${finding.name} 的${channel.zh}自 ${day('zh-CN')} 起被拒收${reason && `：${reason}`}`,
        en: `${finding.name}: the ${channel.en} has been refused since ${day('en-GB')}${reason && `: ${reason}`}`,
      }
    }
  }
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** The first line of the morning's message, and of the page: is everybody covered? */
export function coverageLead(findings: number, { community, days }: { community: string; days: number }): Headline {
  if (findings === 0)
    return {
      zh: `${community}：未来 ${days} 天，每一步都有人可以通知。`,
      en: `${community}: in the coming ${days} days every step reaches somebody.`,
    }
  return {
    zh: `${community}：未来 ${days} 天的值守有 ${findings} 处缺口。`,
    en: `${community}: ${findings === 1 ? '1 gap' : `${findings} gaps`} in the cover of the coming ${days} days.`,
  }
}
